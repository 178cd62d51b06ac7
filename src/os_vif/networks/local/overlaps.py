# SPDX-License-Identifier: Apache-2.0
"""What of a network's subnets this host has elsewhere, and which of their addresses it uses."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from os_vif import exception
from os_vif.host.kernel.surroundings import Held
from os_vif.networks.local.model import Network
from os_vif.plugins import names

#: Prefixes no longer than these lead everywhere, as default routes do: VPNs cut them in two or eight.
_EVERYWHERE = {4: 1, 6: 3}


def check(network: Network, held: Collection[Held]) -> None:
    """Raises NetworkConflict where this host has, or routes to, an address of the network, elsewhere than in it."""
    own = _own_devices(network.bridge, network.uplink, network.vlan)
    for subnet in network.subnets:
        cidr = ipaddress.ip_network(subnet.cidr)
        for one in held:
            if one.device not in own and _is_a_place(one) and _overlap(cidr, one.subnet):
                raise _conflict(cidr, one, network)


def _overlap(one: Any, other: Any) -> bool:
    return bool(one.version == other.version and one.overlaps(other))


def in_use(held: Collection[Held]) -> frozenset[str]:
    """Addresses that no port may get: this host's own, and those of the routers that it knows."""
    return frozenset(str(one.address) for one in held if one.address is not None and not one.address.is_loopback)


def _is_a_place(one: Held) -> bool:
    return one.subnet.prefixlen > _EVERYWHERE[one.subnet.version] and not one.subnet.is_link_local


def _own_devices(bridge: str, uplink: str | None, vlan: int | None) -> Sequence[str]:
    return (bridge, names.vlan(vlan)) if vlan is not None else (bridge, uplink or "")


def _conflict(cidr: object, one: Held, network: Network) -> exception.NetworkConflict:
    holder = f"this host routes to through {one.device}" if one.is_route else f"{one.device} of this host has"
    error = exception.NetworkConflict(reason=f"{cidr} overlaps {one.subnet}, which {holder}.")
    ways = [f"Choose another subnet; or put guests on that one: --uplink {one.device}, or --bridge if it is a bridge."]
    # With DHCP the host gets an address of it, and with it a second route to what it has.
    if not network.dhcp:
        ways.append("--force makes the network all the same.")
    error.hint = " ".join(ways)
    return error


def within(addresses: Collection[str], network: Network) -> Iterator[str]:
    """Those that are in a subnet of the network."""
    for subnet in network.subnets:
        cidr = ipaddress.ip_network(subnet.cidr)
        yield from sorted(text for text in addresses if ipaddress.ip_address(text) in cidr)
