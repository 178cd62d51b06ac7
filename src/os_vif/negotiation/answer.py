# SPDX-License-Identifier: Apache-2.0
"""The answer of the network side: the VIF of the candidate that was chosen, and why the ones before it were not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from os_vif import exception
from os_vif.negotiation.message import Message
from os_vif.negotiation.refusal import Code, Refusal
from os_vif.negotiation.versions import is_within
from os_vif.objects.base import VersionedObject, register_apart
from os_vif.objects.fields import IntegerField, ListOfObjectsField, ObjectField, StringField
from os_vif.objects.vif import VIFBase
from os_vif.objects.wire.walk import walk

if TYPE_CHECKING:
    from os_vif.negotiation.choice import Choice, Decision
    from os_vif.negotiation.offer import Candidate, Offer


@register_apart
class Answer(Message):
    """``choice``: the candidate's name. ``vif``: what to plug; its id is the port's. ``vif_version``: it was sent in.

    ``generation``: the binding's; whoever activates it says it. ``readiness``: see Offer. ``refusals``: of candidates
    that the hypervisor would rather have had.
    """

    choice = StringField()
    vif = ObjectField(VIFBase, subclasses=True)
    vif_version = StringField()
    generation = IntegerField(default=1)
    readiness = StringField(default="plug")
    refusals = ListOfObjectsField(Refusal, default=[])


def answer(decision: Decision, vif: VIFBase, offer: Offer, *, generation: int = 1) -> Answer:
    """The answer to ``offer``: ``vif``, which the network side has made for ``decision``, in versions of the offer.

    ``generation``: the binding's. Raises BindingRefused when nothing was chosen; AnswerNotOffered when ``vif`` is not
    what was chosen, or cannot be written so that the hypervisor reads it.
    """
    choice = decision.choice
    if choice is None:
        raise refused(decision, offer)
    written = in_versions(vif, choice)
    made = Answer(
        choice=choice.candidate.name,
        vif=written,
        vif_version=written.VERSION,
        generation=generation,
        readiness=offer.readiness,
        refusals=list(decision.refusals),
    )
    check_answered(made, offer)
    return made


def refused(decision: Decision, offer: Offer) -> exception.BindingRefused:
    """The error to raise when nothing was chosen: a refusal for each candidate, and for each that was withdrawn."""
    return exception.BindingRefused(refusals=[*decision.refusals, *withdrawn(offer)])


def withdrawn(offer: Offer) -> list[Refusal]:
    """A refusal for each binding type that the hypervisor has withdrawn."""
    return [Refusal(candidate=w.name, code=Code.WITHDRAWN, reason=w.reason) for w in offer.withdrawn]


def in_versions(vif: VIFBase, choice: Choice) -> VIFBase:
    """``vif`` as somebody reads it who knows no newer versions than those of ``choice``. Raises AnswerNotOffered."""
    target = choice.versions.get(vif.obj_name())
    if target is None:
        raise exception.AnswerNotOffered(answered=vif.obj_name(), offered=choice.provision.vif.obj_name())
    wire = vif.obj_to_primitive(target_version=target, version_manifest=dict(choice.versions))
    read: VIFBase = VIFBase.obj_from_primitive(wire)
    return read


def check_answered(answered: Answer, offer: Offer) -> None:
    """Raises AnswerNotOffered unless the answer is one of the candidates, in versions that were offered.

    This is for the caller: whatever the network side says, a type that was not offered is never used.
    """
    named = [candidate for candidate in offer.candidates if candidate.name == answered.choice]
    if not named:
        names = ", ".join(candidate.name for candidate in offer.candidates) or "nothing"
        raise exception.AnswerNotOffered(answered=answered.choice, offered=names)
    problems = [next(_problems(answered.vif, candidate, offer), None) for candidate in named]
    if None not in problems:
        told, expected = next(problem for problem in problems if problem)
        raise exception.AnswerNotOffered(answered=f"{answered.choice} ({told})", offered=expected)


def _problems(vif: VIFBase, candidate: Candidate, offer: Offer) -> Iterator[tuple[str, str]]:
    """Pairs of what was answered and what was offered."""
    wanted = candidate.vif
    if vif.obj_name() != wanted.vif_object_name:
        yield vif.obj_name(), wanted.vif_object_name
    if not _is_within(vif.VERSION, wanted.min_version, wanted.max_version):
        yield _versioned(vif), f"{wanted.vif_object_name} {wanted.min_version} to {wanted.max_version}"
    if "plugin" in vif and vif.plugin != candidate.plugin:
        yield f"plugin {vif.plugin}", f"plugin {candidate.plugin}"
    yield from _profile_problems(vif, candidate)
    yield from _nested_problems(vif, offer)


def _profile_problems(vif: VIFBase, candidate: Candidate) -> Iterator[tuple[str, str]]:
    profile = vif.port_profile if "port_profile" in vif else None
    if profile is None:
        return
    offered = candidate.vif.supported_port_profiles if "supported_port_profiles" in candidate.vif else []
    ranges = {info.profile_object_name: (info.min_version, info.max_version) for info in offered}
    if profile.obj_name() not in ranges:
        yield profile.obj_name(), ", ".join(ranges) or "no port profile"
    elif not _is_within(profile.VERSION, *ranges[profile.obj_name()]):
        yield _versioned(profile), "{} {} to {}".format(profile.obj_name(), *ranges[profile.obj_name()])


def _nested_problems(vif: VIFBase, offer: Offer) -> Iterator[tuple[str, str]]:
    limits = {limit.object_name: limit.max_version for limit in offer.nested}
    for path, item in walk(vif):
        if path in ("", "port_profile"):
            continue  # the candidate has ranges for these
        limit = limits.get(item.obj_name())
        if limit is not None and not _is_within(item.VERSION, "1.0", limit):
            yield _versioned(item), f"{item.obj_name()} up to {limit}"


def _is_within(version: str, lowest: str, highest: str) -> bool:
    try:
        return is_within(version, lowest, highest)
    except ValueError:
        return False


def _versioned(item: VersionedObject) -> str:
    return f"{item.obj_name()} {item.VERSION}"
