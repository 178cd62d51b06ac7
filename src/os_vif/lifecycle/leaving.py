# SPDX-License-Identifier: Apache-2.0
"""The way back of an attachment: a later step failed, or it is to go, or nobody came back for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import os_vif
from os_vif import exception
from os_vif.lifecycle import telling
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase
from os_vif.lifecycle.sides import Sides
from os_vif.lifecycle.undo import Undo, sentence, words
from os_vif.lifecycle.wanted import Wanted


@contextlib.contextmanager
def all_or_nothing(wanted: Wanted, attachments: Attachments, undo: Undo, command: str) -> Iterator[None]:
    """When the body fails, undoes all of it, and forgets the attachment.

    Raises UndoFailed where that fails too, and then it is kept: ``command`` is the one that goes on with that.
    """
    try:
        yield
    except Exception as error:
        _take_back(wanted, attachments, undo, error, command)
        raise


def _take_back(wanted: Wanted, attachments: Attachments, undo: Undo, cause: Exception, command: str) -> None:
    problems = undo.run()
    if problems:
        failure = exception.UndoFailed(error=words(cause), reason=sentence(problems))
        failure.hint = f"`vif {command} {telling.named(wanted)}` goes on with that when the cause is gone."
        raise failure from cause
    attachments.forget(wanted.key)


def take_away(attachment: Attachment, sides: Sides, attachments: Attachments, *, force: bool = False) -> Sequence[str]:
    """All steps back; the record goes when all have succeeded, and with ``force`` anyway.

    Returns what could not be done. Raises LifecycleError for it without ``force``.
    """
    attachments.put(attachment, Phase.DETACHING)
    problems = ways_back(attachment, sides).run()
    if problems and not force:
        error = exception.LifecycleError(
            step=f"detach {attachment.wanted.interface} from {attachment.wanted.guest.name}", reason=sentence(problems)
        )
        error.hint = telling.of_forcing(attachment.wanted)
        raise error
    attachments.forget(attachment.key)
    return problems


def ways_back(attachment: Attachment | None, sides: Sides) -> Undo:
    """For all that may have been done for it; None: nothing. Nothing happens where a step was never done."""
    undo = Undo()
    if attachment is None:
        return undo
    wanted, answer = attachment.wanted, attachment.answer
    undo.push("unbind it", lambda: _unbind(attachment, sides))
    if answer is not None:
        undo.push("unplug it", lambda: os_vif.unplug(answer.vif, wanted.instance))
        if wanted.hot:
            undo.push("take it from the guest", lambda: sides.hypervisor.detach(answer.vif, wanted.guest))
    return undo


def _unbind(attachment: Attachment, sides: Sides) -> None:
    """Also where the answer was lost: whoever asked was killed before it could be written down."""
    if attachment.answer is not None:
        port_id: str | None = str(attachment.answer.vif.id)
    else:
        port_id = attachment.wanted.port_id or sides.network.find(attachment.key)
    if port_id is not None:
        sides.network.unbind(port_id, sides.host)
