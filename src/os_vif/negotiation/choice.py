# SPDX-License-Identifier: Apache-2.0
"""Choosing: an offer and what could be provided in, a choice or refusals out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from os_vif.negotiation.answer import Refusal
from os_vif.negotiation.offer import Candidate, Offer
from os_vif.negotiation.provision import Provision
from os_vif.negotiation.request import Request


@dataclass(frozen=True)
class Choice:
    """``versions``: the version to write each object in, by name: VIF, port profile, and what else is limited.

    ``device_by``: who makes the device on the host; empty where nobody needs to.
    """

    candidate: Candidate
    provision: Provision
    versions: Mapping[str, str] = field(default_factory=dict)
    device_by: str = ""


@dataclass(frozen=True)
class Decision:
    """``choice`` is None when nothing fits. ``refusals``: one per candidate before the chosen one, or per candidate."""

    choice: Choice | None
    refusals: Sequence[Refusal] = ()


def choose(offer: Offer, provided: Sequence[Provision], request: Request | None = None) -> Decision:
    """The first candidate, in the hypervisor's order, that the network side can provide.

    ``request`` adds what this guest wants: queues, and the device that it is to see.
    """
    raise NotImplementedError
