# SPDX-License-Identifier: Apache-2.0
"""Migrating a guest's interface, as the destination sees it: prepare, then activate or abort.

The source goes on as it is until the binding here is activated, which is compare and swap on the network side; then
detach() there takes its part away.
"""

from __future__ import annotations

import os_vif
from os_vif import exception
from os_vif.lifecycle.attaching import Attached, take_away, take_back, wrong_phase
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase
from os_vif.lifecycle.binding import bind
from os_vif.lifecycle.sides import Sides
from os_vif.lifecycle.undo import Undo
from os_vif.lifecycle.wanted import Wanted
from os_vif.negotiation.request import Purpose


def prepare(wanted: Wanted, sides: Sides) -> Attached:
    """A second binding, inactive, and the devices for it, through which nothing passes yet.

    Doing it again changes nothing. A failure takes back what was done here; the source notices nothing. Raises what
    attach() raises, and WrongPhase for a guest that is attached here already.
    """
    attachments = Attachments.here()
    with attachments.alone(wanted.key):
        known = attachments.get(wanted.key)
        if known is not None and known.phase not in (Phase.PREPARING, Phase.PREPARED):
            raise wrong_phase(known, "preparing a migration to here")
        undo = Undo()
        try:
            return _prepare(wanted, sides, attachments, undo)
        except Exception as error:
            take_back(wanted.key, attachments, undo, error)
            raise


def _prepare(wanted: Wanted, sides: Sides, attachments: Attachments, undo: Undo) -> Attached:
    attachment = attachments.put(Attachment.begin(wanted, sides, Phase.PREPARING))
    answer = bind(wanted, sides, Purpose.MIGRATE, undo)
    rendering = sides.hypervisor.render(answer.vif, wanted.guest)
    attachment = attachments.put(attachment, answer=answer)
    undo.push("unplug it", lambda: os_vif.unplug(answer.vif, wanted.instance))
    os_vif.plug(answer.vif, wanted.instance, silent=True)
    return Attached(attachments.put(attachment, Phase.PREPARED), rendering)


def activate(key: str, sides: Sides) -> Attachment:
    """Cuts over: the binding here becomes the active one, and traffic may pass.

    After an interruption the same call finishes. Raises BindingChanged, and then everything is as before the call;
    NotAttached, WrongPhase, NetworkError, PlugException, HypervisorError.
    """
    attachments = Attachments.here()
    with attachments.alone(key):
        found = _found(key, attachments)
        if found.phase is Phase.ACTIVE:
            return found
        if found.phase not in (Phase.PREPARED, Phase.CUTTING_OVER):
            raise wrong_phase(found, "activating it")
        return _cut_over(found, sides, attachments)


def _cut_over(found: Attachment, sides: Sides, attachments: Attachments) -> Attachment:
    wanted, answer = found.wanted, found.bound
    cutting = attachments.put(found, Phase.CUTTING_OVER)
    try:
        sides.network.activate(str(answer.vif.id), sides.host, answer.generation)
    except exception.BindingChanged:
        attachments.put(found, Phase.PREPARED)
        raise
    os_vif.plug(answer.vif, wanted.instance)
    if wanted.hot:
        sides.hypervisor.attach(answer.vif, wanted.guest)
    return attachments.put(cutting, Phase.ACTIVE)


def abort(key: str, sides: Sides) -> None:
    """Gives up a migration to here: unplugs and unbinds; the source notices nothing.

    Once the cut-over has begun the way is back by another migration (WrongPhase). Raises NotAttached, LifecycleError.
    """
    attachments = Attachments.here()
    with attachments.alone(key):
        found = _found(key, attachments)
        if found.phase not in (Phase.PREPARING, Phase.PREPARED, Phase.DETACHING):
            raise wrong_phase(found, "aborting it")
        take_away(found, sides, attachments)


def _found(key: str, attachments: Attachments) -> Attachment:
    found = attachments.get(key)
    if found is None:
        raise exception.NotAttached(instance=key.partition("/")[0], network=key.partition("/")[2])
    return found
