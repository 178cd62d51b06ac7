# SPDX-License-Identifier: Apache-2.0
"""The marks of one journal on devices (marks.py): what a backend writes there, and what it makes of what it finds."""

from __future__ import annotations

from os_vif.host.contract.backend import Marked
from os_vif.host.journal import identity, marks
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import Resource


class DeviceMarks:
    """Devices of any kind, if they are created in the group ``os_vif.backend.DEVICE_GROUP``."""

    def __init__(self, home: str) -> None:
        """``home`` is the journal (identity.py), as a backend is told it."""
        self._home = marks.short(home)

    def alias(self, resource: Resource, info: LinkInfo | None, vif_id: str) -> str:
        """The alias that the device of a resource is to have; ``info``: as it is now, if it is there.

        Other journals may have VIFs on what is shared: each is named until its last one has gone.
        """
        if info is None:
            return marks.alias_for(resource, vif_id, self._home)
        if marks.is_current(info, resource, vif_id, self._home):
            return info.alias
        others = marks.others_of(info, self._home) if resource.shared and marks.is_legible(info) else ()
        return marks.alias_for(resource, vif_id, self._home, others)

    def why_not_for(self, resource: Resource, info: LinkInfo, vif_id: str) -> str:
        """Why a device must not be used for a VIF, in words; "" where os-vif made it, for that VIF or for several."""
        if not marks.is_marked(info):
            return "it exists already, and os-vif did not make it."
        other = marks.owner_of(info)
        return f"it was made for VIF {other}." if other and not resource.shared and other != vif_id else ""

    def may_delete(self, resource: Resource, info: LinkInfo, vif_id: str) -> bool:
        """Whether os-vif made the device, and not for another VIF. ``vif_id``: "" for garbage collection."""
        if not marks.is_marked(info):
            return False
        return not vif_id or resource.shared or marks.owner_of(info) in ("", vif_id)

    def others_need(self, resource: Resource, info: LinkInfo) -> tuple[str, str]:
        """Why VIFs of other journals need a device that is shared, and the alias that names only these; else "", "".

        Also of a journal whose file is not there: it may be one that is not mounted.
        """
        others = marks.others_of(info, self._home) if resource.shared and marks.is_marked(info) else []
        if not others:
            return "", ""
        return f"journal {', '.join(others)} needs it too", marks.alias_for(resource, "", "", others)

    def marked(self, resource: Resource, info: LinkInfo, *, in_use: str = "", port_of: str = "") -> Marked:
        """What garbage collection is told of a device with a mark; ``resource`` is the device as one, as far as known.

        ``in_use`` and ``port_of``: see Marked.
        """
        named = marks.homes_of(info)
        return Marked(
            marks.owner_of(info),
            resource,
            elsewhere=any(identity.is_elsewhere(home, self._home) for home in named),
            ours=bool(self._home) and marks.names(info, self._home),
            in_use=in_use,
            port_of=port_of,
        )

    @staticmethod
    def is_marked(info: LinkInfo) -> bool:
        """Whether os-vif made the device, and nobody else has come to care for it since."""
        return marks.is_marked(info) and marks.is_legible(info)

    @staticmethod
    def is_shared(info: LinkInfo) -> bool:
        """Whether the mark names no VIF: the device serves several, or that is not (yet) told."""
        return not marks.owner_of(info)
