# SPDX-License-Identifier: Apache-2.0
"""Attaching and detaching: offer, bind, render, plug, give to the guest, activate; and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from os_vif import exception
from os_vif.hypervisors.driver import Rendering
from os_vif.lifecycle import hints
from os_vif.lifecycle.announcing import announce
from os_vif.lifecycle.attachments import ATTACHING, MIGRATING, Attachment, Attachments, Phase
from os_vif.lifecycle.binding import bind, plug
from os_vif.lifecycle.giving import give_again
from os_vif.lifecycle.parties import Parties
from os_vif.lifecycle.release import all_or_nothing, take_away, ways_back
from os_vif.lifecycle.spec import AttachmentSpec
from os_vif.lifecycle.unchanged import unchanged
from os_vif.lifecycle.undo import Undo
from os_vif.negotiation.answer import Answer
from os_vif.negotiation.request import Purpose


@dataclass(frozen=True)
class Attached:
    """What came of it; ``rendering`` is what to give to the hypervisor unless it has it already."""

    attachment: Attachment
    rendering: Rendering

    @property
    def answer(self) -> Answer:
        """What the network side chose, and why."""
        return self.attachment.bound


def attach(spec: AttachmentSpec, parties: Parties) -> Attached:
    """Gives a guest an interface. Doing it again changes nothing, mends what has gone, and finishes what was cut off.

    Any failure takes back what was done, unless the interface was in use before the call: no binding, no device and
    no address is left. Raises BindingRefused, NetworkError, PlugException, HypervisorError; AttachedOtherwise where the
    guest has it already, and not as wanted now; UndoFailed where taking back failed too, and then detach() goes on.
    """
    attachments = Attachments.here()
    with attachments.alone(spec.key):
        known = unchanged(spec, parties, attachments, ATTACHING, "attaching it")
        if known is not None and known.phase is Phase.ACTIVE:
            return _again(known, spec, parties, attachments)
        undo = ways_back(known, parties)  # what an interrupted call has left goes as well
        with all_or_nothing(spec, attachments, undo, "detach"):
            return _attach(spec, parties, attachments, undo)


def _attach(spec: AttachmentSpec, parties: Parties, attachments: Attachments, undo: Undo) -> Attached:
    attachment = attachments.put(parties.begin(spec, Phase.BINDING))
    answer = bind(spec, parties, Purpose.ATTACH, undo)
    rendering = parties.hypervisor.render(answer.vif, spec.guest)
    attachment = attachments.put(attachment, Phase.PLUGGING, answer=answer)
    plug(answer, spec, undo)
    attachment = attachments.put(attachment, Phase.ATTACHING)
    if spec.hot:
        undo.push("take it from the guest", lambda: parties.hypervisor.detach(answer.vif, spec.guest))
        parties.hypervisor.attach(answer.vif, spec.guest)
    attachment = attachments.put(attachment, Phase.ACTIVATING)
    parties.network.activate(str(answer.vif.id), parties.host, answer.generation)
    announce(answer.vif)
    return Attached(attachments.put(attachment, Phase.ACTIVE), rendering)


def _again(known: Attachment, spec: AttachmentSpec, parties: Parties, attachments: Attachments) -> Attached:
    """Goes by the answer of then: asked anew, the network side might bind an interface that is in use in another way.

    It is asked first whether the binding still holds, before a guest that has moved away is wired here again.
    """
    answer = known.bound
    try:
        parties.network.activate(str(answer.vif.id), parties.host, answer.generation)
    except (exception.BindingChanged, exception.NetworkNotFound) as error:
        error.hint = hints.has_moved(known)
        raise
    rendering = parties.hypervisor.render(answer.vif, spec.guest)
    give_again(answer.vif, spec, parties.hypervisor)
    now = dataclasses.replace(known.spec, guest=spec.guest, hot=spec.hot or known.spec.hot)
    return Attached(attachments.put(known, spec=now), rendering)


def detach(key: str, parties: Parties, *, force: bool = False) -> Sequence[str]:
    """Takes an interface from a guest, and everything that was made for it: the way back of attach(), from anywhere.

    Every step is tried even when one fails. Raises NotAttached, WrongPhase, and LifecycleError, which tells of all
    that failed; doing it again goes on.

    ``force`` is for when a side is gone for good: in whatever phase it is, the attachment is forgotten, and what
    could not be done is returned.
    """
    attachments = Attachments.here()
    with attachments.alone(key, in_any_case=True):
        found = attachments.required(key)
        if found.phase in MIGRATING and not force:
            raise hints.wrong_phase(found, "detaching it")
        return take_away(found, parties, attachments, force=force)
