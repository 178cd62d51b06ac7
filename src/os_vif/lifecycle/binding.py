# SPDX-License-Identifier: Apache-2.0
"""Asking the network side for a binding, making sure that the answer is one that was offered, and plugging it."""

from __future__ import annotations

import os_vif
from os_vif import exception
from os_vif.lifecycle.parties import Parties
from os_vif.lifecycle.spec import AttachmentSpec
from os_vif.lifecycle.undo import Undo
from os_vif.negotiation.answer import Answer, check_answered, withdrawn


def bind(spec: AttachmentSpec, parties: Parties, purpose: str, undo: Undo) -> Answer:
    """The answer of the network side; from then on ``undo`` would give the port back.

    Raises BindingRefused, which names every candidate, those that this host has withdrawn included; NetworkError;
    AnswerNotOffered.
    """
    offer = parties.hypervisor.offer(spec.guest, parties.host)
    request = spec.request(offer, purpose)
    try:
        if not offer.candidates:
            raise exception.BindingRefused()
        answer = parties.network.bind(request)
    except exception.BindingRefused as error:
        told = {refusal.candidate for refusal in error.refusals}
        error.add([one for one in withdrawn(offer) if one.candidate not in told])
        raise
    undo.push("unbind it", lambda: parties.network.unbind(str(answer.vif.id), parties.host))
    check_answered(answer, offer)
    return answer


def plug(answer: Answer, spec: AttachmentSpec, undo: Undo, *, silent: bool = False) -> None:
    """Plugs what was answered; from then on ``undo`` would unplug it. Raises PlugException."""

    def unplug() -> None:
        os_vif.unplug(answer.vif, spec.instance)

    try:
        os_vif.plug(answer.vif, spec.instance, silent=silent)
    except exception.PlugException as error:
        # What was not permitted has done nothing, and undoing it would not be permitted either.
        if not isinstance(error.__cause__, exception.NotPermitted):
            undo.push("unplug it", unplug)
        raise
    undo.push("unplug it", unplug)
