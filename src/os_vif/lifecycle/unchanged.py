# SPDX-License-Identifier: Apache-2.0
"""Whether what is wanted is what was attached: an interface that is in use is not made into another one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from os_vif import exception
from os_vif.lifecycle import hints
from os_vif.lifecycle.attachments import MIGRATING, Attachment, Attachments, Phase
from os_vif.lifecycle.parties import Parties
from os_vif.lifecycle.spec import AttachmentSpec


def unchanged(
    spec: AttachmentSpec, parties: Parties, attachments: Attachments, phases: Collection[Phase], action: str
) -> Attachment | None:
    """What is known of the attachment, if it is; in one of ``phases``, and the same as is wanted now.

    ``action``: what cannot be done in other phases. Raises WrongPhase, AttachedOtherwise.
    """
    known = attachments.get(spec.key)
    if known is not None:
        if known.phase not in phases:
            raise hints.wrong_phase(known, action)
        _check_unchanged(known, spec, parties)
    return known


def _check_unchanged(known: Attachment, spec: AttachmentSpec, parties: Parties) -> None:
    """The error tells of every difference.

    Where the guest is reached, and whether it runs, may change.
    """
    before = _facts(known.spec, known.network_driver, known.hypervisor, known.host)
    now = _facts(spec, parties.network.name, parties.hypervisor.name, parties.host)
    changes = [
        f"{name} {_shown(now[name])} instead of {_shown(before[name])}" for name in now if now[name] != before[name]
    ]
    if not changes:
        return
    error = exception.AttachedOtherwise(instance=spec.guest.name, interface=spec.interface, changes=", ".join(changes))
    other = "" if known.phase in MIGRATING else " Another name (--as) gives the guest one more."
    error.hint = hints.way_on(known) + other
    raise error


def _facts(spec: AttachmentSpec, network_driver: str, hypervisor: str, host: str) -> dict[str, Any]:
    guest = spec.guest
    return {
        "network": spec.network,
        "port": spec.port_id,
        "hypervisor": hypervisor,
        "network driver": network_driver,
        "host": host,
        "vnic type": spec.vnic_type,
        "MAC address": spec.mac_address,
        "IP addresses": spec.ip_addresses,
        "model": guest.model,
        "queues": guest.queues,
        "vcpus": guest.vcpus,
        "shared memory": guest.shared_memory,
        "options": dict(guest.options),
    }


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={one}" for name, one in value.items()) or "none"
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return "none" if value in (None, "") else str(value)
