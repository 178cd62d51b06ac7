# SPDX-License-Identifier: Apache-2.0
"""The answer, from what Neutron has bound: its own if it negotiates, else one made of the legacy binding. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from os_vif.negotiation import details
from os_vif.negotiation.answer import Answer, Code, Refusal, answer, check_answered, refused
from os_vif.negotiation.binding_types import BINDING_TYPES, name_of
from os_vif.negotiation.choice import Choice, Decision, choose
from os_vif.negotiation.offer import BY_HYPERVISOR, BY_PLUGIN
from os_vif.negotiation.provision import Provision
from os_vif.negotiation.request import Request
from os_vif.networks.neutron import vifs
from os_vif.networks.neutron.wired import Wired, subnets_of
from os_vif.objects import vif as classes

#: Who may make the device on the host: to Neutron it is all one. For types that are not here, nobody needs to.
DEVICE_BY = {
    "ovs": (BY_PLUGIN, BY_HYPERVISOR),
    "ovs-hybrid": (BY_HYPERVISOR,),
    "bridge": (BY_HYPERVISOR,),
    "tap": (BY_PLUGIN,),
    "macvtap": (BY_PLUGIN,),
}

#: A VIFGeneric of ours has no place to say that the tap is to have several queues.
_MAX_QUEUES = {"tap": 1}


def answer_of(wired: Wired, request: Request, generation: int) -> Answer:
    """The answer to a request, by the binding that came of it.

    Raises BindingRefused when it is none that was offered, OfferNotUnderstood, AnswerNotOffered, MalformedOffer.
    """
    told = details.read_answer(wired.details)
    if told is None:
        return _translated(wired, request, generation)
    check_answered(told, request.offer)
    return _completed(told, wired, generation)


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
    if details.KEY in told:
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
    vif = _settled(vifs.make(wired), decision.choice, request)
    return answer(decision, vif, request.offer, generation=generation)


def _provisions(vif: classes.VIFBase, wired: Wired, request: Request) -> Iterator[Provision]:
    """What is bound; nothing else, with the reason."""
    name = name_of(vif.obj_name(), vif.plugin)
    yield Provision(
        name=name,
        vif=type(vif),
        profile=type(vif.port_profile) if "port_profile" in vif else None,
        device_by=_device_by(name, wired),
        needs_shared_memory=isinstance(vif, classes.VIFVHostUser),
        mtu=vif.network.mtu if vif.network else None,
        max_queues=_MAX_QUEUES.get(name),
    )
    reason = f"Neutron has bound {wired.vif_type} on {request.offer.host}, and has not looked at the offer."
    for candidate in request.offer.candidates:
        if candidate.name != name and candidate.name in BINDING_TYPES:
            vif_class = getattr(classes, BINDING_TYPES[candidate.name].vif_class)
            yield Provision(candidate.name, vif_class, refusal=(Code.UNSUPPORTED, reason))


def _device_by(name: str, wired: Wired) -> tuple[str, ...]:
    makers = DEVICE_BY.get(name, ())
    # Neutron's preference, where the hypervisor has none.
    return makers if wired.details.get("ovs_create_tap", True) else makers[::-1]


def _settled(vif: classes.VIFBase, choice: Choice, request: Request) -> classes.VIFBase:
    """Whether the plugin makes the tap of an OVS port is as the choice says."""
    if choice.provision.name == "ovs":
        profile: Any = vif.port_profile
        profile.create_port, profile.create_tap = True, choice.device_by == BY_PLUGIN
        profile.multiqueue = profile.create_tap and request.queues > 1
    return vif


def _completed(told: Answer, wired: Wired, generation: int) -> Answer:
    """With what the caller of Neutron knows of the port, and there was no place for in the binding."""
    vif = told.vif
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
