# SPDX-License-Identifier: Apache-2.0
"""What a network of this driver is, as plain data."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

LINUX_BRIDGE, OVS = "linux_bridge", "ovs"
SWITCHES = (LINUX_BRIDGE, OVS)

IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Subnet:
    """``first`` to ``last``: the addresses that are given to ports. All are text, as ipaddress writes them.

    ``latest``: the one that was given last; ``dhcp_server``: the address of the DHCP server, which is on the bridge.
    """

    cidr: str
    first: str
    last: str
    gateway: str | None = None
    dhcp_server: str | None = None
    latest: str | None = None
    id: int = 0


@dataclass(frozen=True)
class Network:
    """``switch``: one of SWITCHES. ``mtu``: in bytes. ``uplink``: the host's interface that leads out of the bridge.

    ``vlan``: the VLAN on the uplink. ``dhcp``: whether a DHCP server gives the ports their IPv4 addresses.
    """

    id: str
    name: str
    switch: str
    bridge: str
    mtu: int
    uplink: str | None = None
    vlan: int | None = None
    dhcp: bool = False
    subnets: tuple[Subnet, ...] = ()

    @property
    def dhcp_port_id(self) -> str:
        """What the DHCP server is known by to the plugins: it is plugged as guests are."""
        return str(uuid.uuid5(uuid.UUID(self.id), "dhcp"))
