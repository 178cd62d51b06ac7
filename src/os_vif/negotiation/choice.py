# SPDX-License-Identifier: Apache-2.0
"""Choosing: an offer and what could be provided in, a choice or refusals out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from os_vif import exception
from os_vif.negotiation import fitting
from os_vif.negotiation.offer import Candidate, Offer
from os_vif.negotiation.provision import Provision
from os_vif.negotiation.refusal import Refusal
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

    ``provided``: in any order, one for each name. ``request`` adds what this guest wants: queues, and the device that
    it is to see. Raises InvalidRequest when two provisions have one name.
    """
    by_name = _by_name(provided)
    refusals: list[Refusal] = []
    for candidate in offer.candidates:
        try:
            choice = _fit(candidate, by_name.get(candidate.name), offer, request)
        except fitting.Misfit as misfit:
            refusals.append(Refusal(candidate=candidate.name, code=misfit.code, reason=misfit.reason))
        else:
            return Decision(choice, refusals)
    return Decision(None, refusals)


def _by_name(provided: Sequence[Provision]) -> dict[str, Provision]:
    by_name = {provision.name: provision for provision in provided}
    if len(by_name) != len(provided):
        # Which one is meant would depend on their order, and that has no meaning.
        raise exception.InvalidRequest(field="provided", reason="two provisions have the same name")
    return by_name


def _fit(candidate: Candidate, provision: Provision | None, offer: Offer, request: Request | None) -> Choice:
    provision = fitting.check_type(candidate, provision)
    versions = fitting.find_versions(candidate, provision, offer)
    device_by = fitting.find_maker(candidate, provision, versions)
    fitting.check_constraints(candidate, provision, request)
    return Choice(candidate, provision, versions, device_by)
