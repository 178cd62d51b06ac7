# SPDX-License-Identifier: Apache-2.0
"""The way back of an attachment: a later step failed, or it is to go, or nobody came back for it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import os_vif
from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.process import deadline
from os_vif.lifecycle import hints
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase
from os_vif.lifecycle.parties import Parties
from os_vif.lifecycle.spec import AttachmentSpec
from os_vif.lifecycle.undo import Undo, sentence, words

LOG = logger(__name__)

#: Whoever keeps the networks locked for longer keeps no guest.
_SECONDS_TO_UNBIND = 30


@contextlib.contextmanager
def all_or_nothing(spec: AttachmentSpec, attachments: Attachments, undo: Undo, command: str) -> Iterator[None]:
    """When the body fails, undoes all of it, and forgets the attachment.

    Raises UndoFailed where that fails too, and then it is kept: ``command`` is the one that goes on with that.
    """
    try:
        yield
    except Exception as error:
        _take_back(spec, attachments, undo, error, command)
        raise


def _take_back(spec: AttachmentSpec, attachments: Attachments, undo: Undo, cause: Exception, command: str) -> None:
    problems = undo.run()
    if problems:
        failure = exception.UndoFailed(error=words(cause), reason=sentence(problems))
        failure.hint = f"`vif {command} {hints.named(spec)}` goes on with that when the cause is gone."
        raise failure from cause
    attachments.forget(spec.key)


def take_away(
    attachment: Attachment, parties: Parties, attachments: Attachments, *, force: bool = False
) -> Sequence[str]:
    """All steps back; the record goes when all have succeeded, and with ``force`` anyway.

    A guest is not kept by files that cannot be written: that is told in a warning, and the record stays for another
    call to finish. Returns what could not be done. Raises LifecycleError for it without ``force``.
    """
    unwritten: list[str] = []
    with _noted(unwritten):
        attachments.put(attachment, Phase.DETACHING)
    problems = ways_back(attachment, parties, unwritten).run()
    if problems and not force:
        error = exception.LifecycleError(
            step=f"detach {attachment.spec.interface} from {attachment.spec.guest.name}", reason=sentence(problems)
        )
        error.hint = hints.of_forcing(attachment.spec)
        raise error
    if not unwritten:
        with _noted(unwritten):
            attachments.forget(attachment.key)
    if unwritten:
        LOG.warning("%s", hints.of_unwritten(attachment.spec, dict.fromkeys(unwritten)))
    return problems


@contextlib.contextmanager
def _noted(unwritten: list[str]) -> Iterator[None]:
    """What cannot be written down is no reason to stop."""
    try:
        yield
    except exception.JournalError as error:
        unwritten.append(f"{error} {error.hint}".strip())
    except exception.NetworkUnavailable as error:
        if not isinstance(error.__cause__, exception.JournalError):
            raise
        unwritten.append(f"{error} {error.hint}".strip())


def ways_back(attachment: Attachment | None, parties: Parties, unwritten: list[str] | None = None) -> Undo:
    """For all that may have been done for it; None: nothing. Nothing happens where a step was never done.

    With ``unwritten``, it takes what a network side on this host cannot write down.
    """
    undo = Undo()
    if attachment is None:
        return undo
    spec, answer = attachment.spec, attachment.answer
    undo.push("unbind it", lambda: _unbind(attachment, parties, unwritten))
    if answer is not None:
        undo.push("unplug it", lambda: os_vif.unplug(answer.vif, spec.instance))
        if spec.hot:
            undo.push("take it from the guest", lambda: parties.hypervisor.detach(answer.vif, spec.guest))
    return undo


def _unbind(attachment: Attachment, parties: Parties, unwritten: list[str] | None) -> None:
    """Also where the answer was lost: whoever asked was killed before it could be written down."""
    with contextlib.nullcontext() if unwritten is None else _noted(unwritten), deadline.of_call(_SECONDS_TO_UNBIND):
        if attachment.answer is not None:
            port_id: str | None = str(attachment.answer.vif.id)
        else:
            port_id = attachment.spec.port_id or parties.network.find(attachment.key)
        if port_id is not None:
            parties.network.unbind(port_id, parties.host)
