# SPDX-License-Identifier: Apache-2.0
"""What to do about an attachment that is not where the caller thinks: for the hints of errors. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from os_vif import exception
from os_vif.lifecycle.attachments import MIGRATING, Attachment, Phase

if TYPE_CHECKING:
    from os_vif.lifecycle.spec import AttachmentSpec


def named(spec: AttachmentSpec) -> str:
    """The arguments by which a command knows the interface."""
    return f"{shlex.quote(spec.guest.name)} --as {shlex.quote(spec.interface)}"


def wrong_phase(attachment: Attachment, action: str) -> exception.WrongPhase:
    """The error for an attachment that is in the middle of a migration, or that is not."""
    name, phase = attachment.spec.guest.name, attachment.phase
    if phase in MIGRATING:
        error = exception.WrongPhase(instance=name, phase=phase.value, action=action)
    else:
        text = f"{name} has the interface {attachment.spec.interface} here ({phase}); {action} is not possible then."
        error = exception.WrongPhase(text)
    error.hint = way_on(attachment)
    return error


def way_on(attachment: Attachment) -> str:
    """Which commands lead on from where it is."""
    arguments = named(attachment.spec)
    if attachment.phase is Phase.CUTTING_OVER:
        return f"`vif migrate activate {arguments}` finishes it."
    if attachment.phase in MIGRATING:
        return f"`vif migrate activate {arguments}` cuts over to here, `vif migrate abort {arguments}` gives it up."
    return f"`vif detach {arguments}` takes it away."


def has_moved(attachment: Attachment) -> str:
    """Its binding is not what it was."""
    name, arguments = attachment.spec.guest.name, named(attachment.spec)
    return (
        f"If {name} was migrated away, `vif detach {arguments}` takes away what it has left here."
        " If it is to have the interface here, detach it, and attach it again."
    )


def was_overtaken(attachment: Attachment) -> str:
    """The migration to here was prepared for a binding that is not what it was."""
    return (
        "`vif migrate prepare`, with the options of the first time, prepares it anew;"
        f" `vif migrate abort {named(attachment.spec)}` gives it up."
    )


def of_forcing(spec: AttachmentSpec) -> str:
    """A step back failed."""
    return (
        "The same command goes on when the cause is gone."
        f" If it is gone for good, `vif detach --force {named(spec)}` forgets what cannot be done."
    )


def of_unwritten(spec: AttachmentSpec, reasons: Iterable[str]) -> str:
    """A guest has let go of its interface, and the record of it could not be changed."""
    return (
        f"{spec.guest.name} is detached from {spec.interface}, but that cannot be written down: {' '.join(reasons)}"
        f" `vif detach {named(spec)}` finishes it when that is possible; until then its addresses are kept."
    )
