# SPDX-License-Identifier: Apache-2.0
"""Asking the network side for a binding, making sure that the answer is one that was offered, and plugging it."""

from __future__ import annotations

import os_vif
from os_vif import exception
from os_vif.lifecycle.sides import Sides
from os_vif.lifecycle.undo import Undo
from os_vif.lifecycle.wanted import Wanted
from os_vif.negotiation.answer import Answer, check_answered, withdrawn


def bind(wanted: Wanted, sides: Sides, purpose: str, undo: Undo) -> Answer:
    """The answer of the network side; from then on ``undo`` would give the port back.

    Raises BindingRefused, which names every candidate, those that this host has withdrawn included; NetworkError;
    AnswerNotOffered.
    """
    offer = sides.hypervisor.offer(wanted.guest, sides.host)
    request = wanted.request(offer, purpose)
    try:
        if not offer.candidates:
            raise exception.BindingRefused()
        answer = sides.network.bind(request)
    except exception.BindingRefused as error:
        told = {refusal.candidate for refusal in error.refusals}
        error.add([one for one in withdrawn(offer) if one.candidate not in told])
        raise
    undo.push("unbind it", lambda: sides.network.unbind(str(answer.vif.id), sides.host))
    check_answered(answer, offer)
    return answer


def plug(answer: Answer, wanted: Wanted, undo: Undo, *, silent: bool = False) -> None:
    """Plugs what was answered; from then on ``undo`` would unplug it. Raises PlugException."""

    def unplug() -> None:
        os_vif.unplug(answer.vif, wanted.instance)

    try:
        os_vif.plug(answer.vif, wanted.instance, silent=silent)
    except exception.PlugException as error:
        # What was not permitted has done nothing, and undoing it would not be permitted either.
        if not isinstance(error.__cause__, exception.NotPermitted):
            undo.push("unplug it", unplug)
        raise
    undo.push("unplug it", unplug)
