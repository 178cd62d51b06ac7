# SPDX-License-Identifier: Apache-2.0
"""What a network of this driver is, as plain data."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

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


def check(network: Network) -> None:
    """Whether all of it is what it is to be, for who has it from a file. Raises ValueError, TypeError."""
    uuid.UUID(network.id)
    _check_types(network, ("id", "name", "bridge"), (str,))
    _check_types(network, ("uplink",), (str, type(None)))
    _check_types(network, ("mtu",), (int,))
    _check_types(network, ("vlan",), (int, type(None)))
    if network.switch not in SWITCHES:
        raise ValueError(f"switch is {network.switch!r}")
    for subnet in network.subnets:
        _check_types(subnet, ("cidr", "first", "last"), (str,))
        _check_types(subnet, ("gateway", "dhcp_server", "latest"), (str, type(None)))
        ip_network(subnet.cidr)
        for text in (subnet.first, subnet.last, subnet.gateway, subnet.dhcp_server, subnet.latest):
            if text is not None:
                ip_address(text)


def _check_types(of: Network | Subnet, names: Iterable[str], kinds: tuple[type, ...]) -> None:
    for name in names:
        value = getattr(of, name)
        if not isinstance(value, kinds):
            raise TypeError(f"{name} is {value!r}")
