# SPDX-License-Identifier: Apache-2.0
"""What we write into the profile of a binding beside the offer, to know it again.

A profile is only written when a binding is wanted: Neutron binds again when it changes. So that a binding is for good
is not written here, but told by the port's ``device_owner``, see ports.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from os_vif.negotiation import profile

KEY = "os_vif_binding"

MIGRATING_TO = "migrating_to"

#: Keys of a profile that tell of devices of a host: they mean nothing on another.
_OF_THE_HOST = (
    "pci_slot",
    "pci_vendor_info",
    "physical_network",
    "card_serial_number",
    "pf_mac_address",
    "vf_num",
    "device_mac_address",
)


@dataclass(frozen=True)
class Record:
    """``ours``: the port was made by us. ``request``: its fingerprint. ``lapses_at``: seconds since the epoch.

    ``beside``: host and generation of what was active when a second binding was made; None of a first one.
    """

    key: str
    ours: bool
    generation: int
    request: str
    lapses_at: float
    beside: tuple[str, int] | None = None


def read(of_profile: Mapping[str, Any] | None) -> Record | None:
    """The record in a profile; None where there is none, or none that can be read."""
    try:
        told = (of_profile or {}).get(KEY)
        found = Record(**told)  # type: ignore[arg-type]
        beside = None if found.beside is None else (str(found.beside[0]), int(found.beside[1]))
        return Record(
            str(found.key), found.ours is True, int(found.generation), found.request, float(found.lapses_at), beside
        )
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        return None


def with_record(of_profile: Mapping[str, Any] | None, record: Record) -> dict[str, Any]:
    """A profile with ``record`` in place of an earlier one."""
    told = {name: value for name, value in asdict(record).items() if value is not None}
    return {**(of_profile or {}), KEY: told}


def without(of_profile: Mapping[str, Any] | None) -> dict[str, Any]:
    """A profile without anything of ours."""
    others = profile.without_offer(of_profile)
    return {name: value for name, value in others.items() if name not in (KEY, MIGRATING_TO)}


def for_another_host(of_profile: Mapping[str, Any] | None) -> dict[str, Any]:
    """What of a profile holds on another host, too."""
    return {name: value for name, value in without(of_profile).items() if name not in _OF_THE_HOST}
