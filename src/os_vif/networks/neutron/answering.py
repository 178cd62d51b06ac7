# SPDX-License-Identifier: Apache-2.0
"""The answer, from what Neutron has bound: its own if it negotiates, else one made of the legacy binding. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from os_vif.negotiation import details
from os_vif.negotiation.answer import Answer, answer, check_answered, refused
from os_vif.negotiation.binding_types import BINDING_TYPES, name_of
from os_vif.negotiation.choice import Decision, choose
from os_vif.negotiation.provision import Provision
from os_vif.negotiation.refusal import Code, Refusal
from os_vif.negotiation.request import Request
from os_vif.networks.neutron import provisions, vifs
from os_vif.networks.neutron.binding import Wired, subnets_of
from os_vif.objects import vif as classes


def answer_of(wired: Wired, request: Request, generation: int) -> Answer:
    """The answer to a request, by the binding that came of it.

    Raises BindingRefused when it is none that was offered, OfferNotUnderstood, AnswerNotOffered, MalformedOffer.
    """
    told = details.read_answer(wired.details)
    if told is None:
        return _translated(wired, request, generation)
    check_answered(told, request.offer)
    return _completed(told, wired, request, generation)


def decision_of(wired: Wired, request: Request) -> Decision:
    """What that binding comes to, for this request, when Neutron knows nothing of offers."""
    try:
        vif = vifs.make(wired)
    except vifs.Untranslatable as error:
        candidates = request.offer.candidates
        return Decision(None, [Refusal(candidate=c.name, code=Code.DRIVER, reason=f"{error}") for c in candidates])
    return choose(request.offer, list(_provisions(vif, wired, request)), request)


def choice_of(told: Any, wired: Wired) -> str:
    """The name of the binding type; empty where nothing that is known is bound."""
    if isinstance(told.get(details.KEY), dict):
        return str(told[details.KEY].get("choice", ""))
    try:
        vif = vifs.make(wired)
    except vifs.Untranslatable:
        return ""
    return name_of(vif.obj_name(), vif.plugin)


def _translated(wired: Wired, request: Request, generation: int) -> Answer:
    decision = decision_of(wired, request)
    if decision.choice is None:
        raise refused(decision, request.offer)
    vif = vifs.make(wired)
    if isinstance(vif, classes.VIFOpenVSwitch):
        provisions.settle_maker(vif, decision.choice.device_by)
        provisions.settle_queues(vif, request.queues)
    return answer(decision, vif, request.offer, generation=generation)


def _provisions(vif: classes.VIFBase, wired: Wired, request: Request) -> Iterator[Provision]:
    """What is bound; nothing else, with the reason."""
    bound = provisions.provision_of(vif)
    yield replace(bound, device_by=_in_order(bound.device_by, wired))
    reason = f"Neutron has bound {wired.vif_type} on {request.offer.host}, and has not looked at the offer."
    for candidate in request.offer.candidates:
        if candidate.name != bound.name and candidate.name in BINDING_TYPES:
            vif_class = getattr(classes, BINDING_TYPES[candidate.name].vif_class)
            yield Provision(candidate.name, vif_class, refusal=(Code.UNSUPPORTED, reason))


def _in_order(makers: tuple[str, ...], wired: Wired) -> tuple[str, ...]:
    """Neutron's preference, where the hypervisor has none."""
    return makers if wired.details.get("ovs_create_tap", True) else makers[::-1]


def _completed(told: Answer, wired: Wired, request: Request, generation: int) -> Answer:
    """With what the caller of Neutron knows of the port and the guest, and there was no place for in the binding."""
    vif = told.vif
    provisions.settle_queues(vif, request.queues)
    vif.preserve_on_delete = wired.preserve_on_delete
    if "network" in vif and vif.network is not None:
        vif.network.subnets = subnets_of(wired)
    return Answer(
        choice=told.choice,
        vif=vif,
        vif_version=told.vif_version,
        generation=generation,
        readiness=told.readiness,
        refusals=list(told.refusals),
    )
