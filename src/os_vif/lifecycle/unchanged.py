# SPDX-License-Identifier: Apache-2.0
"""Whether what is wanted is what was attached: an interface that is in use is not made into another one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from os_vif import exception
from os_vif.lifecycle import telling
from os_vif.lifecycle.attachments import MIGRATING, Attachment, Attachments, Phase
from os_vif.lifecycle.sides import Sides
from os_vif.lifecycle.wanted import Wanted


def unchanged(
    wanted: Wanted, sides: Sides, attachments: Attachments, phases: Collection[Phase], action: str
) -> Attachment | None:
    """What is known of the attachment, if it is; in one of ``phases``, and the same as is wanted now.

    ``action``: what cannot be done in other phases. Raises WrongPhase, AttachedOtherwise.
    """
    known = attachments.get(wanted.key)
    if known is not None:
        if known.phase not in phases:
            raise telling.wrong_phase(known, action)
        _check_unchanged(known, wanted, sides)
    return known


def _check_unchanged(known: Attachment, wanted: Wanted, sides: Sides) -> None:
    """The error tells of every difference.

    Where the guest is reached, and whether it runs, may change.
    """
    before = _facts(known.wanted, known.network_driver, known.hypervisor, known.host)
    now = _facts(wanted, sides.network.name, sides.hypervisor.name, sides.host)
    changes = [
        f"{name} {_shown(now[name])} instead of {_shown(before[name])}" for name in now if now[name] != before[name]
    ]
    if not changes:
        return
    error = exception.AttachedOtherwise(
        instance=wanted.guest.name, interface=wanted.interface, changes=", ".join(changes)
    )
    other = "" if known.phase in MIGRATING else " Another name (--as) gives the guest one more."
    error.hint = telling.way_on(known) + other
    raise error


def _facts(wanted: Wanted, network_driver: str, hypervisor: str, host: str) -> dict[str, Any]:
    guest = wanted.guest
    return {
        "network": wanted.network,
        "port": wanted.port_id,
        "hypervisor": hypervisor,
        "network driver": network_driver,
        "host": host,
        "vnic type": wanted.vnic_type,
        "MAC address": wanted.mac_address,
        "IP addresses": wanted.ip_addresses,
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
