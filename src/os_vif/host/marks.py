# SPDX-License-Identifier: Apache-2.0
"""The marks on devices that os-vif made: they prove ownership when the journal is lost.

A device is born into a group of its own (IFLA_GROUP), so that there is no moment at which its origin is unknown;
right after, its alias (`ip link` shows it) names the VIF, and the journal that tells of it:

    os-vif:6d3e0001-... /var/lib/os-vif/journal.db@fd00.2       made for a VIF
    os-vif /var/lib/os-vif/journal.db@fd00.2                    serves several
    os-vif:6d3e0001-..., os-vif                                 the same without a journal, or of an earlier form
"""

from __future__ import annotations

import re

from os_vif.host import homes
from os_vif.host.kernel import DEVICE_GROUP
from os_vif.host.rtnetlink import LinkInfo
from os_vif.host.state import Link

_WORD = "os-vif"
_FORM = re.compile(rf"(?s){_WORD}(?::(?P<vif_id>.*?))?(?: (?P<home>[/~].*))?")

#: In bytes, as the kernel has it (IFALIASZ, less a NUL).
_LONGEST_ALIAS = 255
#: What a home may take up of it: the rest is enough for the id of a VIF.
_LONGEST_HOME = 200


def text_for(link: Link, vif_id: str) -> str:
    """The alias that a device gets, less the journal: it names the VIF, unless the device serves several."""
    return _WORD if link.shared else f"{_WORD}:{vif_id}"


def alias_for(link: Link, vif_id: str, home: str) -> str:
    """The alias that a device gets. ``home`` is the journal (homes.py) in its short form."""
    alias = f"{text_for(link, vif_id)} {home}".rstrip()
    return alias if len(alias.encode()) <= _LONGEST_ALIAS else text_for(link, vif_id)


def short(home: str) -> str:
    """A journal as aliases name it."""
    return homes.shortened(home, _LONGEST_HOME) if home else ""


def is_current(info: LinkInfo, link: Link, vif_id: str, home: str) -> bool:
    """Whether the alias may stay as it is: it names the VIF, and our journal.

    What serves several may serve those of several journals; it belongs to the first of these, for as long as that is
    there. Without a journal of ours, whatever is named will do.
    """
    found = _FORM.fullmatch(info.alias)
    if found is None or (found["vif_id"] or "") != ("" if link.shared else vif_id):
        return False
    named = found["home"] or ""
    return not home or homes.is_same_path(named, home) or (link.shared and homes.is_elsewhere(named, home))


def is_marked(info: LinkInfo) -> bool:
    """Whether os-vif made the device."""
    return info.group == DEVICE_GROUP or info.alias.startswith(_WORD)


def owner_of(info: LinkInfo) -> str:
    """The id of the VIF that the device was made for; "" when it is shared, or not (yet) told."""
    return _read(info, "vif_id")


def home_of(info: LinkInfo) -> str:
    """The journal that tells of the device, in its short form; "" when that is not (yet) told."""
    return _read(info, "home")


def _read(info: LinkInfo, what: str) -> str:
    found = _FORM.fullmatch(info.alias)
    return (found[what] or "") if found else ""
