# SPDX-License-Identifier: Apache-2.0
"""The subnets and addresses that this network namespace has or routes to, in both families. Reads only.

Layouts and numbers are from linux/if_addr.h and linux/rtnetlink.h.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from os_vif.host.kernel import rtnetlink
from os_vif.host.kernel.netlink import NLM_F_DUMP, Layout, attributes, conversation, from_u32, parsing

_RTM_GETADDR, _RTM_GETROUTE = 22, 26
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_MULTIPATH, _RTA_TABLE = 1, 4, 5, 9, 15
_TABLE_MAIN, _TYPE_UNICAST = 254, 1

_ADDRESS = Layout("=BBBBI")
_ROUTE = Layout("=BBBBBBBBI")
_NEXT_HOP = Layout("=HBBI")

Address = IPv4Address | IPv6Address
Subnet = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Held:
    """``device`` has the address ``address`` in ``subnet``, or routes to the subnet by way of it (None: directly)."""

    subnet: Subnet
    device: str
    address: Address | None = None
    is_route: bool = False


def all_held() -> list[Held]:
    """Every address, and every route of the main table to a place of its own. Raises OSError."""
    names = {link.index: link.name for link in rtnetlink.all_links()}
    with parsing():
        return [*_addresses(names), *_routes(names)]


def _addresses(names: dict[int, str]) -> Iterator[Held]:
    for answer in conversation().ask(_RTM_GETADDR, _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0), NLM_F_DUMP):
        family, length, _flags, _scope, index = _ADDRESS.unpack_from(answer)
        found = dict(attributes(answer, _ADDRESS.size))
        raw = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
        if family in (socket.AF_INET, socket.AF_INET6) and raw is not None:
            address = ipaddress.ip_address(raw)
            yield Held(ipaddress.ip_network((address, length), strict=False), names.get(index, ""), address)


def _routes(names: dict[int, str]) -> Iterator[Held]:
    for answer in conversation().ask(_RTM_GETROUTE, _ROUTE.pack(socket.AF_UNSPEC, *[0] * 8), NLM_F_DUMP):
        family, length, _, _, table, _, _, kind, _ = _ROUTE.unpack_from(answer)
        found = dict(attributes(answer, _ROUTE.size))
        table = from_u32(found[_RTA_TABLE]) if _RTA_TABLE in found else table
        if family not in (socket.AF_INET, socket.AF_INET6) or table != _TABLE_MAIN or kind != _TYPE_UNICAST:
            continue
        everywhere = bytes(4 if family == socket.AF_INET else 16)
        subnet = ipaddress.ip_network((found.get(_RTA_DST, everywhere), length), strict=False)
        for index, gateway in _ways(found):
            yield Held(subnet, names.get(index, ""), gateway, is_route=True)


def _ways(found: dict[int, bytes]) -> Iterator[tuple[int, Address | None]]:
    if _RTA_MULTIPATH not in found:
        yield from_u32(found.get(_RTA_OIF, bytes(4))), _gateway(found)
        return
    raw = found[_RTA_MULTIPATH]
    while len(raw) >= _NEXT_HOP.size:
        length, _, _, index = _NEXT_HOP.unpack_from(raw)
        yield index, _gateway(dict(attributes(raw[:length], _NEXT_HOP.size)))
        raw = raw[max((length + 3) & ~3, _NEXT_HOP.size) :]


def _gateway(found: dict[int, bytes]) -> Address | None:
    return ipaddress.ip_address(found[_RTA_GATEWAY]) if _RTA_GATEWAY in found else None
