# SPDX-License-Identifier: Apache-2.0
"""Migrating a guest's interface, as the destination sees it: prepare, then activate or abort.

The source goes on as it is until the binding here is activated, which is compare and swap on the network side; then
detach() there takes its part away.
"""

from __future__ import annotations

import os_vif
from os_vif import exception
from os_vif.lifecycle import hints
from os_vif.lifecycle.attaching import Attached
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase
from os_vif.lifecycle.binding import bind, plug
from os_vif.lifecycle.parties import Parties
from os_vif.lifecycle.release import all_or_nothing, take_away, ways_back
from os_vif.lifecycle.spec import AttachmentSpec
from os_vif.lifecycle.unchanged import unchanged
from os_vif.lifecycle.undo import Undo
from os_vif.negotiation.request import Purpose


def prepare(spec: AttachmentSpec, parties: Parties) -> Attached:
    """A second binding, inactive, and the devices for it, through which nothing passes yet.

    Doing it again changes nothing. A failure takes back what was done here, unless it was prepared before the call;
    the source notices nothing. Raises what attach() raises, and WrongPhase for a guest that is attached here already.
    """
    attachments = Attachments.here()
    with attachments.alone(spec.key):
        preparing = (Phase.PREPARING, Phase.PREPARED)
        known = unchanged(spec, parties, attachments, preparing, "preparing a migration to here")
        if known is not None and known.phase is Phase.PREPARED:
            return _prepare_again(known, spec, parties, attachments)
        undo = ways_back(known, parties)  # what an interrupted call has left goes as well
        with all_or_nothing(spec, attachments, undo, "migrate abort"):
            return _prepare(spec, parties, attachments, undo)


def _prepare_again(known: Attachment, spec: AttachmentSpec, parties: Parties, attachments: Attachments) -> Attached:
    """Where the port was bound otherwise since, that is the way to a binding that can be activated."""
    try:
        return _prepare(spec, parties, attachments, Undo())
    except Exception:
        attachments.put(known)
        raise


def _prepare(spec: AttachmentSpec, parties: Parties, attachments: Attachments, undo: Undo) -> Attached:
    attachment = attachments.put(parties.begin(spec, Phase.PREPARING))
    answer = bind(spec, parties, Purpose.MIGRATE, undo)
    rendering = parties.hypervisor.render(answer.vif, spec.guest)
    attachment = attachments.put(attachment, answer=answer)
    plug(answer, spec, undo, silent=True)
    return Attached(attachments.put(attachment, Phase.PREPARED), rendering)


def activate(key: str, parties: Parties) -> Attachment:
    """Cuts over: the binding here becomes the active one, and traffic may pass.

    After an interruption the same call finishes. Raises BindingChanged and NetworkNotFound, and then everything is as
    before the call: the binding is not what it was; prepare() or abort().
    Raises NotAttached, WrongPhase, NetworkError, PlugException, HypervisorError.
    """
    attachments = Attachments.here()
    with attachments.alone(key):
        found = attachments.required(key)
        if found.phase is Phase.ACTIVE:
            return found
        if found.phase not in (Phase.PREPARED, Phase.CUTTING_OVER):
            raise hints.wrong_phase(found, "activating it")
        return _cut_over(found, parties, attachments)


def _cut_over(found: Attachment, parties: Parties, attachments: Attachments) -> Attachment:
    spec, answer = found.spec, found.bound
    cutting = attachments.put(found, Phase.CUTTING_OVER)
    try:
        parties.network.activate(str(answer.vif.id), parties.host, answer.generation)
    except (exception.BindingChanged, exception.NetworkNotFound) as error:
        attachments.put(found, Phase.PREPARED)
        error.hint = hints.was_overtaken(found)
        raise
    os_vif.plug(answer.vif, spec.instance)
    if spec.hot:
        parties.hypervisor.attach(answer.vif, spec.guest)
    return attachments.put(cutting, Phase.ACTIVE)


def abort(key: str, parties: Parties) -> None:
    """Gives up a migration to here: unplugs and unbinds; the source notices nothing.

    Once the cut-over has begun the way is back by another migration (WrongPhase). Raises NotAttached, LifecycleError.
    """
    attachments = Attachments.here()
    with attachments.alone(key, in_any_case=True):
        found = attachments.required(key)
        if found.phase not in (Phase.PREPARING, Phase.PREPARED, Phase.DETACHING):
            raise hints.wrong_phase(found, "aborting it")
        take_away(found, parties, attachments)
