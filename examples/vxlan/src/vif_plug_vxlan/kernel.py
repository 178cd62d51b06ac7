# SPDX-License-Identifier: Apache-2.0
"""VXLAN devices and their peers, over netlink: reading them, and the few changes that there are.

Numbers are from the kernel's linux/if_link.h (IFLA_VXLAN_*) and linux/neighbour.h (NDA_*). A peer is an entry of the
device's forwarding table for the address of all zeros: packets for whoever is not known yet go to every one.
"""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address

from os_vif.backend import DEVICE_GROUP, KernelError, netlink

PORT = 4789

_RTM_NEWLINK, _RTM_GETLINK = 16, 18
_RTM_NEWNEIGH, _RTM_DELNEIGH, _RTM_GETNEIGH = 28, 29, 30
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_GROUP = 3, 18, 27
_INFO_KIND, _INFO_DATA = 1, 2
_VXLAN_ID, _VXLAN_LOCAL, _VXLAN_PORT = 1, 4, 15
_NDA_DST, _NDA_LLADDR = 1, 2
_AF_BRIDGE = 7
_PERMANENT = 0x80 | 0x40  # NUD_PERMANENT, NUD_NOARP
_SELF = 0x02  # NTF_SELF: in the device's own table, not in that of its bridge
_EVERYBODY = bytes(6)

_LINK = netlink.Layout("=BxHiII")
_NEIGHBOUR = netlink.Layout("=BxxxiHBB")


@dataclass(frozen=True)
class Particulars:
    """What is particular to a VXLAN device."""

    vni: int
    local: str
    peers: frozenset[str]


def add(name: str, vni: int, local: str) -> None:
    """Makes a device, down, in the group by which os-vif knows its own. Raises KernelError."""
    data = netlink.nested(
        _INFO_DATA,
        netlink.u32(_VXLAN_ID, vni),
        netlink.attribute(_VXLAN_LOCAL, IPv4Address(local).packed),
        netlink.attribute(_VXLAN_PORT, struct.pack(">H", PORT)),
    )
    kind = netlink.nested(_IFLA_LINKINFO, netlink.text(_INFO_KIND, "vxlan"), data)
    body = _LINK.pack(0, 0, 0, 0, 0) + netlink.text(_IFLA_IFNAME, name) + netlink.u32(_IFLA_GROUP, DEVICE_GROUP) + kind
    netlink.conversation().ask(_RTM_NEWLINK, body, netlink.NLM_F_CREATE | netlink.NLM_F_EXCL)


def particulars(index: int) -> Particulars:
    """Of the VXLAN device of an index. Raises KernelError."""
    answer = netlink.conversation().ask(_RTM_GETLINK, _LINK.pack(0, 0, index, 0, 0))[0]
    info = dict(netlink.attributes(dict(netlink.attributes(answer, _LINK.size)).get(_IFLA_LINKINFO, b"")))
    data = dict(netlink.attributes(info.get(_INFO_DATA, b"")))
    vni = netlink.from_u32(data[_VXLAN_ID]) if _VXLAN_ID in data else 0
    local = str(IPv4Address(data[_VXLAN_LOCAL])) if _VXLAN_LOCAL in data else ""
    return Particulars(vni, local, frozenset(_peers(index)))


def _peers(index: int) -> list[str]:
    request = _NEIGHBOUR.pack(_AF_BRIDGE, index, 0, 0, 0)
    found = []
    for answer in netlink.conversation().ask(_RTM_GETNEIGH, request, netlink.NLM_F_DUMP):
        _, device, _, flags, _ = _NEIGHBOUR.unpack_from(answer)
        told = dict(netlink.attributes(answer, _NEIGHBOUR.size))
        if device == index and flags & _SELF and told.get(_NDA_LLADDR) == _EVERYBODY and _NDA_DST in told:
            found.append(str(IPv4Address(told[_NDA_DST])))
    return found


def add_peer(name: str, peer: str) -> None:
    """One that is there already stays as it is. Raises KernelError."""
    netlink.conversation().ask(_RTM_NEWNEIGH, _entry(name, peer), netlink.NLM_F_CREATE | netlink.NLM_F_APPEND)


def remove_peer(name: str, peer: str) -> None:
    """One that is not there does no harm. Raises KernelError."""
    try:
        netlink.conversation().ask(_RTM_DELNEIGH, _entry(name, peer))
    except KernelError as error:
        if error.errno not in (errno.ENOENT, errno.ENODEV):
            raise


def _entry(name: str, peer: str) -> bytes:
    told = netlink.attribute(_NDA_LLADDR, _EVERYBODY) + netlink.attribute(_NDA_DST, IPv4Address(peer).packed)
    return _NEIGHBOUR.pack(_AF_BRIDGE, _index(name), _PERMANENT, _SELF, 0) + told


def _index(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError:
        raise KernelError(errno.ENODEV, f"device {name} does not exist") from None
