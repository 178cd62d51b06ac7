# SPDX-License-Identifier: Apache-2.0
"""The marks on devices that os-vif made: they prove ownership when the journal is lost.

A device is born into a group of its own (IFLA_GROUP), so that there is no moment at which its origin is unknown;
right after, its alias (`ip link` shows it) names the VIF.
"""

from __future__ import annotations

from os_vif.host.kernel import DEVICE_GROUP
from os_vif.host.rtnetlink import LinkInfo
from os_vif.host.state import Link

_WORD = "os-vif"


def alias_for(link: Link, vif_id: str) -> str:
    """The alias that a device gets: it names the VIF, unless the device serves several."""
    return _WORD if link.shared else f"{_WORD}:{vif_id}"


def is_marked(info: LinkInfo) -> bool:
    """Whether os-vif made the device."""
    return info.group == DEVICE_GROUP or info.alias.startswith(_WORD)


def owner_of(info: LinkInfo) -> str:
    """The id of the VIF that the device was made for; "" when it is shared, or not (yet) told."""
    return info.alias.partition(f"{_WORD}:")[2]
