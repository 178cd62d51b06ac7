# SPDX-License-Identifier: Apache-2.0
"""What the kernel tells of the ports of Linux bridges, and of what a bridge does to what passes, over rtnetlink.

Numbers are from the kernel's uapi headers linux/if_link.h (IFLA_BRPORT_*, IFLA_BR_*) and linux/if_bridge.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from os_vif.host.kernel.netlink import NLM_F_DUMP, KernelError, Layout, attribute, attributes, conversation, u32

_RTM_GETLINK, _RTM_GETNEIGH = 18, 30
_LINK = Layout("=BxHiII")
_NEIGHBOUR = Layout("=BxxxiHBB")
_NDA_LLADDR, _NDA_MASTER, _OF_MASTER = 2, 9, 0x04
_AF_BRIDGE = 7

_IFLA_MASTER, _IFLA_LINKINFO, _IFLA_AF_SPEC, _IFLA_EXT_MASK = 10, 18, 26, 29
_IFLA_INFO_DATA, _IFLA_INFO_SLAVE_KIND, _IFLA_INFO_SLAVE_DATA = 2, 4, 5
_SKIP_STATISTICS, _VLANS_OF_BRIDGES = 8, 2

_STATE, _LEARNING, _UNICAST_FLOOD, _BROADCAST_FLOOD, _ISOLATED, _LOCKED = 1, 8, 9, 30, 33, 39
_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")

_VLAN_FILTERING = 7
_CALLS_FILTER = {"ipv4": 36, "ipv6": 37}
_VLAN_INFO = 2
_VLAN = Layout("=HH")
_PVID = 2


@dataclass(frozen=True)
class BridgePort:
    """``state``: of the spanning tree. A setting that this kernel does not know is at its default."""

    state: str = "forwarding"
    learning: bool = True
    unicast_flood: bool = True
    broadcast_flood: bool = True
    isolated: bool = False
    locked: bool = False


@dataclass(frozen=True)
class PortVlans:
    """The VLANs of a port; ``untagged``: the one that its untagged frames are in (PVID), 0 where they are dropped."""

    vlans: frozenset[int] = frozenset()
    untagged: int = 0


def read_port(index: int) -> BridgePort | None:
    """The device of that index as a port of a Linux bridge, or None where it is not one."""
    info = _link_info(index)
    if info.get(_IFLA_INFO_SLAVE_KIND, b"").rstrip(b"\0") != b"bridge":
        return None
    found = dict(attributes(info.get(_IFLA_INFO_SLAVE_DATA, b"")))
    state = found.get(_STATE, b"\3")[0]
    return BridgePort(
        state=_STATES[state] if state < len(_STATES) else str(state),
        learning=_is_on(found, _LEARNING, default=True),
        unicast_flood=_is_on(found, _UNICAST_FLOOD, default=True),
        broadcast_flood=_is_on(found, _BROADCAST_FLOOD, default=True),
        isolated=_is_on(found, _ISOLATED, default=False),
        locked=_is_on(found, _LOCKED, default=False),
    )


def read_vlans(bridge: int) -> Mapping[int, PortVlans] | None:
    """The VLANs of the ports of the bridge of that index, and of the bridge itself, by index; None where it filters
    none. A look at every bridge of the namespace."""
    if not _is_on(_bridge_data(bridge), _VLAN_FILTERING, default=False):
        return None
    body = _LINK.pack(_AF_BRIDGE, 0, 0, 0, 0) + u32(_IFLA_EXT_MASK, _VLANS_OF_BRIDGES)
    found = {}
    for answer in conversation().ask(_RTM_GETLINK, body, NLM_F_DUMP):
        index = _LINK.unpack_from(answer)[2]
        told = dict(attributes(answer, _LINK.size))
        if bridge in (index, int.from_bytes(told.get(_IFLA_MASTER, b""), "little")):
            found[index] = _port_vlans(told.get(_IFLA_AF_SPEC, b""))
    return found


def calls_filter(bridge: int, family: str) -> bool:
    """Whether the bridge itself has iptables, or ip6tables, look at what it passes."""
    return _is_on(_bridge_data(bridge), _CALLS_FILTER[family], default=False)


def port_of_mac(bridge: int, mac: str) -> int:
    """The index of the port at which the bridge has learned a MAC address, or somebody entered it; 0 for none."""
    body = _NEIGHBOUR.pack(_AF_BRIDGE, 0, 0, _OF_MASTER, 0)
    body += attribute(_NDA_LLADDR, bytes.fromhex(mac.replace(":", ""))) + u32(_NDA_MASTER, bridge)
    try:
        answers = conversation().ask(_RTM_GETNEIGH, body)
    except KernelError:
        return 0  # not known, or a kernel before Linux 5.0
    return int(_NEIGHBOUR.unpack_from(answers[0])[1]) if answers else 0


def _port_vlans(data: bytes) -> PortVlans:
    entries = [_VLAN.unpack_from(value) for kind, value in attributes(data) if kind == _VLAN_INFO]
    untagged = next((number for flags, number in entries if flags & _PVID), 0)
    return PortVlans(frozenset(number for _, number in entries), untagged)


def _bridge_data(index: int) -> dict[int, bytes]:
    return dict(attributes(_link_info(index).get(_IFLA_INFO_DATA, b"")))


def _link_info(index: int) -> dict[int, bytes]:
    """What is particular to the kind of a device, and to what it is a port of; empty where it is not there."""
    body = _LINK.pack(0, 0, index, 0, 0) + u32(_IFLA_EXT_MASK, _SKIP_STATISTICS)
    try:
        answer = next(iter(conversation().ask(_RTM_GETLINK, body)), b"")
    except KernelError:
        return {}
    return dict(attributes(dict(attributes(answer, _LINK.size)).get(_IFLA_LINKINFO, b"")))


def _is_on(values: Mapping[int, bytes], number: int, *, default: bool) -> bool:
    return values[number][:1] != b"\0" if number in values else default
