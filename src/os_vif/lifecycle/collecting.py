# SPDX-License-Identifier: Apache-2.0
"""Taking back bindings that were made for this host and that nobody activated before their lease ran out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from os_vif.lifecycle.attaching import take_away
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase
from os_vif.lifecycle.sides import Sides

if TYPE_CHECKING:
    from os_vif.networks.driver import Binding, NetworkDriver


@dataclass(frozen=True)
class Collected:
    """A lapsed binding; ``error`` says why it could not be taken back, and is empty if it was or was not tried."""

    binding: Binding
    error: str = ""


def collect(network: NetworkDriver, host: str, *, dry_run: bool) -> Sequence[Collected]:
    """Bindings of this host whose lease ran out, with what was plugged for them. Raises NetworkError."""
    attachments = Attachments.here()
    lapsed = [binding for binding in network.lapsed(time.time()) if binding.host == host]
    by_port = {str(found.answer.vif.id): found for found in attachments.all() if found.answer is not None}
    if dry_run:
        return [Collected(binding) for binding in lapsed]
    return [_collect(binding, by_port.get(binding.port_id), network, attachments) for binding in lapsed]


def _collect(
    binding: Binding, attachment: Attachment | None, network: NetworkDriver, attachments: Attachments
) -> Collected:
    try:
        if attachment is None:
            network.unbind(binding.port_id, binding.host)
        else:
            _collect_attachment(binding, attachment.key, network, attachments)
    except Exception as error:
        return Collected(binding, str(error))
    return Collected(binding)


def _collect_attachment(binding: Binding, key: str, network: NetworkDriver, attachments: Attachments) -> None:
    """Looks again with the lock held: whoever was slow may have come to an end meanwhile."""
    with attachments.alone(key):
        found = attachments.get(key)
        if found is None:
            network.unbind(binding.port_id, binding.host)
        elif found.phase is Phase.ACTIVE:
            network.activate(binding.port_id, binding.host, found.bound.generation)
        else:
            take_away(found, Sides.of(found), attachments)
