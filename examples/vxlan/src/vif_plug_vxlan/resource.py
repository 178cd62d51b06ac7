# SPDX-License-Identifier: Apache-2.0
"""What a VXLAN device is, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from os_vif.backend import Resource, resource_type


@resource_type
@dataclass(frozen=True, kw_only=True)
class Vxlan(Resource):
    """A VXLAN device in a bridge. ``vni``: the network's number. ``local`` and ``peers``: addresses of this host and of
    the others, which get whatever is for a guest that is not known yet.
    """

    backend: ClassVar[str] = "vxlan"

    name: str
    vni: int
    local: str
    peers: tuple[str, ...] = ()
    master: str
    mtu: int | None = None

    @property
    def key(self) -> str:
        """One of that name on the host."""
        return f"vxlan/{self.name}"

    @property
    def label(self) -> str:
        """For messages."""
        return f"VXLAN device {self.name}"

    @property
    def device_name(self) -> str:
        """It leaves its bridge when it goes."""
        return self.name
