# SPDX-License-Identifier: Apache-2.0
"""What a VXLAN device is, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from os_vif.backend import Link, resource_type


@resource_type
@dataclass(frozen=True, kw_only=True)
class Vxlan(Link):
    """A VXLAN device: a network device as any other, and beside what all of these have (see Link):

    ``vni``: the network's number. ``local`` and ``peers``: the IPv4 addresses of this host and of the others, which get
    whatever is for everybody, or for a guest that is not known yet.
    """

    backend: ClassVar[str] = "vxlan"
    kind: ClassVar[str] = "vxlan"

    vni: int
    local: str
    peers: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """One of that name on the host."""
        return f"vxlan/{self.name}"

    @property
    def label(self) -> str:
        """For messages."""
        return f"VXLAN device {self.name}"
