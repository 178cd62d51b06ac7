# SPDX-License-Identifier: Apache-2.0
"""The mechanism driver: binds, of what the others would, what the hypervisor would rather have."""

from __future__ import annotations

from typing import Any

from neutron_lib.api.definitions import portbindings
from neutron_lib.plugins import directory
from neutron_lib.plugins.ml2 import api

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.negotiation import details
from os_vif.negotiation.answer import answer, refused
from os_vif.negotiation.choice import choose
from os_vif.negotiation.offer import Offer
from os_vif.negotiation.refusal import Refusal
from os_vif.neutron_ml2 import asking, offers, providing

LOG = logger(__name__)

#: In a refusal: not one candidate, but the offer as a whole.
ALL = "*"


class NegotiatingMechanismDriver(api.MechanismDriver):  # type: ignore[misc]  # Neutron has no types
    """Put it first in ``mechanism_drivers``. Ports that nobody has made an offer for are not its business."""

    @property
    def connectivity(self) -> str:
        """L2, or else it would not be asked about ports without an IP address."""
        return str(portbindings.CONNECTIVITY_L2)

    def initialize(self) -> None:
        """Nothing to do."""

    def filter_hosts_with_segment_access(
        self, context: Any, segments: Any, candidate_hosts: Any, agent_getter: Any
    ) -> Any:
        """None: this driver brings no host into a network. Not to say so would turn the filtering off."""
        return set()

    def bind_port(self, context: Any) -> None:
        """Binds what the first acceptable candidate of the offer comes to, or refuses with all reasons."""
        exchange = offers.exchange_of(context.plugin_context)
        try:
            _bind_or_raise(context, exchange, self)
        except exception.NegotiationError as error:
            if exchange.refused is None or exchange.refused.why is not error:
                LOG.warning("Port %s is not bound on %s. %s", context.current["id"], context.host, error)
            exchange.refused = offers.Refused(context.current, error)
            _refuse(context, error)


def _bind_or_raise(context: Any, exchange: offers.Exchange, own: NegotiatingMechanismDriver) -> None:
    if exchange.refused is not None and exchange.refused.port is context.current:
        raise exchange.refused.why  # Neutron tries ten times; nothing has changed since
    offer = offers.find(context.current, context.host, exchange)
    if offer is not None:
        _bind(context, offer, own)


def _bind(context: Any, offer: Offer, own: NegotiatingMechanismDriver) -> None:
    port = context.current
    if (port[offers.PROFILE] or {}).get("allocation"):
        # ML2 takes back whatever is bound, and has the driver bind that the allocation belongs to.
        LOG.info(
            "Port %s has an allocation of Placement, which says who binds it; its offer does not count.", port["id"]
        )
        return
    try:
        replies = asking.ask(asking.others(directory.get_plugin(), own), context)
    except asking.NobodyToAsk as error:
        LOG.error(
            "This Neutron's mechanism drivers cannot be asked (%s): binding port %s as if nothing were offered.",
            error,
            port["id"],
        )
        return
    ways = providing.ways(replies, port, context.network.current)
    decision = choose(offer, providing.provisions(ways, replies, offer))
    if decision.choice is not None:
        way = providing.settled(ways[decision.choice.provision.name], decision.choice)
        answered = answer(decision, way.vif, offer, generation=offer.generation)
        _set_binding(context, way.would_bind, details.with_answer(way.would_bind.details, answered))
    elif not any(reply.continues for reply in replies):
        raise refused(decision, offer)
    # Else a driver binds the upper part of a hierarchy, and this one will be asked again about the lower part.


def _set_binding(context: Any, bound: asking.WouldBind, told: dict[str, Any]) -> None:
    LOG.info(
        "Port %s is bound on %s as %s, by %s.",
        context.current["id"],
        context.host,
        told[details.KEY]["choice"],
        bound.driver,
    )
    context.set_binding(bound.segment_id, bound.vif_type, told, bound.status)


def _refuse(context: Any, error: exception.NegotiationError) -> None:
    """An exception would not do: ML2 would go on with the next driver."""
    segment = context.segments_to_bind[0][api.ID]
    context.set_binding(segment, portbindings.VIF_TYPE_BINDING_FAILED, _told(error))


def _told(error: exception.NegotiationError) -> dict[str, Any]:
    if isinstance(error, exception.OfferNotUnderstood):
        return details.with_not_understood(None, error)
    if isinstance(error, exception.BindingRefused):
        return details.with_refusals(None, error.refusals)
    return details.with_refusals(None, [Refusal(candidate=ALL, code=error.code, reason=error.message)])
