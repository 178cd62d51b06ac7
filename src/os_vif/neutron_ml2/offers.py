# SPDX-License-Identifier: Apache-2.0
"""The offer that a request to Neutron carries: in the binding's profile or, as a hint, in a header.

The profile is the truth: it holds the whole offer, with versions and constraints, it is still there when Neutron binds
again by itself, and each host's binding has its own. The header counts where the profile has no offer of the host that
is bound to; what another host has offered says nothing of this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.negotiation import header, profile
from os_vif.negotiation.offer import Offer

LOG = logger(__name__)

_ATTRIBUTE = "os_vif_exchange"

PROFILE = "binding:profile"


@dataclass(frozen=True)
class Refused:
    """``port``: Neutron's own dictionary, the same one in all of its attempts to bind the port; ``why``: the error."""

    port: dict[str, Any]
    why: exception.NegotiationError


@dataclass
class Exchange:
    """What one request brings, and what it was refused last: the filter and the mechanism driver share it.

    ``accept``: the header's value.
    """

    accept: str = ""
    refused: Refused | None = None


def exchange_of(context: Any) -> Exchange:
    """That of a request, by Neutron's context of it. Copies that Neutron makes of the context share it."""
    found: Exchange | None = getattr(context, _ATTRIBUTE, None)
    if found is None:
        found = Exchange()
        setattr(context, _ATTRIBUTE, found)
    return found


def find(port: dict[str, Any], host: str, exchange: Exchange) -> Offer | None:
    """The offer for binding ``port`` on ``host``; None when there is none.

    Raises MalformedOffer, OfferNotUnderstood.
    """
    offer = profile.read_offer(port.get(PROFILE))
    if offer is not None and offer.host == host:
        return offer
    if offer is not None:
        LOG.info("Port %s: the offer in its profile is of host %s, not of %s.", port["id"], offer.host, host)
    return header.offer_of(exchange.accept, host) if exchange.accept.strip() else None
