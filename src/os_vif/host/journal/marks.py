# SPDX-License-Identifier: Apache-2.0
"""The marks on devices that os-vif made: they prove ownership when the journal is lost.

A device is created in a group of its own (IFLA_GROUP), so that there is no moment at which its origin is unknown;
right after, its alias (`ip link` shows it) names the VIF, and the journal that tells of it:

    os-vif:6d3e0001-... /var/lib/os-vif/journal.db@fd00.2       made for a VIF
    os-vif /var/lib/os-vif/journal.db@fd00.2 /srv/...@fd00.2    serves several, of two journals
    os-vif:6d3e0001-..., os-vif                                 the same without a journal, or of an earlier form

The group, or an alias that names a journal, is proof; any other text, whatever it begins with, is somebody's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from os_vif.host.journal import identity
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import Resource, mark_form

#: In bytes, as the kernel has it (IFALIASZ, less a NUL).
_LONGEST_ALIAS = 255
#: What a home may take up of it: the rest is enough for the id of a VIF.
_LONGEST_HOME = 200

#: Instead of journals of which there are more than an alias can name; nobody knows when the last of them has gone.
_MANY = "~many@0.0"


def text_for(link: Resource, vif_id: str) -> str:
    """The alias that a device gets, less the journal: it names the VIF, unless the device serves several."""
    return mark_form.WORD if link.shared else f"{mark_form.WORD}:{vif_id}"


def alias_for(link: Resource, vif_id: str, home: str, others: Sequence[str] = ()) -> str:
    """The alias that a device gets. ``home`` is the journal (identity.py) in its short form, ``others`` name theirs."""
    text = text_for(link, vif_id)
    listed = [*others, *([home] if home else [])]
    for names in _ever_shorter(listed):
        alias = " ".join([text, *names])
        if len(alias.encode()) <= _LONGEST_ALIAS:
            return alias
    return text


def _ever_shorter(listed: Sequence[str]) -> Iterator[Sequence[str]]:
    yield listed
    if len(listed) > 1:
        yield [identity.shortened(home, 0) for home in listed]
        yield [_MANY]


def short(home: str) -> str:
    """A journal as aliases name it."""
    return identity.shortened(home, _LONGEST_HOME) if home else ""


def is_current(info: LinkInfo, link: Resource, vif_id: str, home: str) -> bool:
    """Whether the alias may stay as it is: it names the VIF, and our journal, maybe among others.

    Without a journal of ours, whatever is named will do.
    """
    found = mark_form.FORM.fullmatch(info.alias)
    if found is None or (found["vif_id"] or "") != ("" if link.shared else vif_id):
        return False
    return not home or names(info, home)


def is_marked(info: LinkInfo) -> bool:
    """Whether os-vif made the device."""
    return mark_form.proves_ownership(info.group, info.alias)


def is_legible(info: LinkInfo) -> bool:
    """Whether the alias is ours as well, or not yet set: somebody else's says that they have come to care for it."""
    return not info.alias or mark_form.FORM.fullmatch(info.alias) is not None


def owner_of(info: LinkInfo) -> str:
    """The id of the VIF that the device was made for; "" when it is shared, or not (yet) told."""
    found = mark_form.FORM.fullmatch(info.alias)
    return (found["vif_id"] or "") if found else ""


def homes_of(info: LinkInfo) -> list[str]:
    """The journals that tell of the device, in their short forms; none when that is not (yet) told."""
    found = mark_form.FORM.fullmatch(info.alias)
    return found["homes"].split() if found else []


def names(info: LinkInfo, home: str) -> bool:
    """Whether the mark names that journal."""
    return any(named == _MANY or identity.is_same_path(named, home) for named in homes_of(info))


def others_of(info: LinkInfo, home: str) -> list[str]:
    """The journals named that are not ``home``."""
    return [named for named in homes_of(info) if not identity.is_same_path(named, home)]
