# SPDX-License-Identifier: Apache-2.0
"""Attaching and detaching: offer, bind, render, plug, give to the guest, activate; and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import os_vif
from os_vif import exception
from os_vif.hypervisors.driver import Rendering
from os_vif.lifecycle import undo as undoing
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase
from os_vif.lifecycle.binding import bind
from os_vif.lifecycle.sides import Sides
from os_vif.lifecycle.undo import Undo
from os_vif.lifecycle.wanted import Wanted
from os_vif.negotiation.answer import Answer
from os_vif.negotiation.request import Purpose

#: Phases of a migration: attach() and detach() leave them to migrating.py.
_MIGRATING = (Phase.PREPARING, Phase.PREPARED, Phase.CUTTING_OVER)


@dataclass(frozen=True)
class Attached:
    """What came of it; ``rendering`` is what to give to the hypervisor unless it has it already."""

    attachment: Attachment
    rendering: Rendering

    @property
    def answer(self) -> Answer:
        """What the network side chose, and why."""
        return self.attachment.bound


def attach(wanted: Wanted, sides: Sides) -> Attached:
    """Gives a guest an interface. Doing it again changes nothing, and finishes what was interrupted.

    Any failure takes back what was done, unless the interface was in use before the call: no binding, no device and
    no address is left. Raises BindingRefused, NetworkError, PlugException, HypervisorError; UndoFailed where taking
    back failed too, and then detach() goes on with that.
    """
    attachments = Attachments.here()
    with attachments.alone(wanted.key):
        known = attachments.get(wanted.key)
        if known is not None and known.phase in _MIGRATING:
            raise wrong_phase(known, "attaching it")
        undo = Undo()
        try:
            return _attach(wanted, sides, attachments, undo)
        except Exception as error:
            if known is not None and known.phase is Phase.ACTIVE:
                attachments.put(known)
            else:
                take_back(wanted.key, attachments, undo, error)
            raise


def _attach(wanted: Wanted, sides: Sides, attachments: Attachments, undo: Undo) -> Attached:
    attachment = attachments.put(Attachment.begin(wanted, sides, Phase.BINDING))
    answer = bind(wanted, sides, Purpose.ATTACH, undo)
    rendering = sides.hypervisor.render(answer.vif, wanted.guest)
    attachment = attachments.put(attachment, Phase.PLUGGING, answer=answer)
    undo.push("unplug it", lambda: os_vif.unplug(answer.vif, wanted.instance))
    os_vif.plug(answer.vif, wanted.instance)
    attachment = attachments.put(attachment, Phase.ATTACHING)
    if wanted.hot:
        undo.push("take it from the guest", lambda: sides.hypervisor.detach(answer.vif, wanted.guest))
        sides.hypervisor.attach(answer.vif, wanted.guest)
    attachment = attachments.put(attachment, Phase.ACTIVATING)
    sides.network.activate(str(answer.vif.id), sides.host, answer.generation)
    return Attached(attachments.put(attachment, Phase.ACTIVE), rendering)


def take_back(key: str, attachments: Attachments, undo: Undo, cause: Exception) -> None:
    """Undoes all of it, and forgets the attachment. Raises UndoFailed, and then it is kept for detach()."""
    failure = undoing.everything(undo, cause)
    if failure is not None:
        raise failure from cause
    attachments.forget(key)


def detach(key: str, sides: Sides) -> None:
    """Takes an interface from a guest, and everything that was made for it: the way back of attach(), from anywhere.

    Every step is tried even when one fails. Raises NotAttached, WrongPhase, and LifecycleError, which tells of all
    that failed; doing it again goes on.
    """
    attachments = Attachments.here()
    with attachments.alone(key):
        found = attachments.get(key)
        if found is None:
            raise exception.NotAttached(instance=key.partition("/")[0], network=key.partition("/")[2])
        if found.phase in _MIGRATING:
            raise wrong_phase(found, "detaching it")
        take_away(found, sides, attachments)


def take_away(attachment: Attachment, sides: Sides, attachments: Attachments) -> None:
    """All steps back; the record goes when all have succeeded. Raises LifecycleError."""
    attachments.put(attachment, Phase.DETACHING)
    undo = Undo()
    for text, step in _ways_back(attachment, sides):
        undo.push(text, step)
    problems = undo.run()
    if problems:
        raise exception.LifecycleError(step=f"detach {attachment.wanted.guest.name}", reason=" ".join(problems))
    attachments.forget(attachment.key)


def _ways_back(attachment: Attachment, sides: Sides) -> Iterator[tuple[str, Callable[[], None]]]:
    """In the order in which the steps were done."""
    wanted, answer = attachment.wanted, attachment.answer
    yield "unbind it", lambda: _unbind(attachment, sides)
    if answer is None:
        return
    yield "unplug it", lambda: os_vif.unplug(answer.vif, wanted.instance)
    if wanted.hot:
        yield "take it from the guest", lambda: sides.hypervisor.detach(answer.vif, wanted.guest)


def _unbind(attachment: Attachment, sides: Sides) -> None:
    """Also where the answer was lost: whoever asked was killed before it could be written down."""
    if attachment.answer is not None:
        port_id: str | None = str(attachment.answer.vif.id)
    else:
        port_id = attachment.wanted.port_id or sides.network.find(attachment.key)
    if port_id is not None:
        sides.network.unbind(port_id, sides.host)


def wrong_phase(attachment: Attachment, action: str) -> exception.WrongPhase:
    """The error for an attachment that is in the middle of a migration, or that is not."""
    name = attachment.wanted.guest.name
    return exception.WrongPhase(instance=name, phase=attachment.phase.value, action=action)
