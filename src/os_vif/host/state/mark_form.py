# SPDX-License-Identifier: Apache-2.0
"""The exact form of the marks on devices (see marks.py), for all who must not take anything else for one."""

from __future__ import annotations

import re

#: Devices that os-vif makes are in this group (IFLA_GROUP; "ovif" as hexadecimal digits of its first letters, o-v-i)
#: from their first moment, so that a process killed right after creation leaves no device of unknown origin.
DEVICE_GROUP = 0x6F7669

#: Bits below DEVICE_GROUP that tell apart the groups in which devices are deleted together.
_BITS_OF_A_DELETION = 8

WORD = "os-vif"

#: What os-vif may have written: with whatever id, for one journal, several, or none.
FORM = re.compile(rf"(?s){WORD}(?::(?P<vif_id>.*?))?(?P<homes>(?: [/~]\S*)*)")

#: What nobody else would write: it names a journal in full.
_PROOF = re.compile(rf"{WORD}(?::\S+)?(?: [/~]\S*@[0-9a-f]+\.[0-9]+)+")


def proves_ownership(group: int, alias: str) -> bool:
    """Whether os-vif made a device that has these. Text that merely begins with "os-vif" is somebody's own."""
    return is_our_group(group) or _PROOF.fullmatch(alias) is not None


def is_our_group(group: int) -> bool:
    """Whether it is the group of our devices, or one in which some of them are deleted."""
    return DEVICE_GROUP in (group, group >> _BITS_OF_A_DELETION)


def deletion_group(number: int) -> int:
    """A group for devices to be deleted together. Should the deletion be cut off, it still says whose they are."""
    return DEVICE_GROUP << _BITS_OF_A_DELETION | number % (1 << _BITS_OF_A_DELETION)
