# SPDX-License-Identifier: Apache-2.0
"""The addresses and routes of a device, over rtnetlink: read, added and removed without losing an attribute.

What is read is kept in a form that JSON can hold and that can be given back to the kernel: the fixed header and
the attributes, as bytes in hexadecimal. Layouts are from linux/if_addr.h and linux/rtnetlink.h.
"""

from __future__ import annotations

import contextlib
import errno
import math
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from os_vif.host.kernel.netlink import (
    NLM_F_APPEND,
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    KernelError,
    Layout,
    attribute,
    attributes,
    conversation,
    from_u32,
    parsing,
    u32,
)

#: An address or a route: ``shown`` is for people, the rest for the kernel.
Item = dict[str, Any]

_RTM_NEWADDR, _RTM_DELADDR, _RTM_GETADDR = 20, 21, 22
_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26
_RTM_GETRULE = 34
_FRA_IIFNAME, _FRA_OIFNAME = 3, 17

_IFA_ADDRESS, _IFA_LOCAL, _IFA_LABEL, _IFA_CACHEINFO, _IFA_FLAGS, _IFA_PROTO = 1, 2, 3, 6, 8, 11
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_MULTIPATH, _RTA_CACHEINFO = 1, 4, 5, 6, 9, 12
_RTA_TABLE, _RTA_VIA, _RTA_PREF, _RTA_EXPIRES, _RTA_NH_ID = 15, 18, 20, 23, 30

NODAD, _DADFAILED, _TENTATIVE, TEMPORARY = 0x02, 0x08, 0x40, 0x01
_FOREVER = 0xFFFFFFFF

PROTOCOL_REDIRECT, PROTOCOL_KERNEL, PROTOCOL_RA = 1, 2, 9
_ONLINK = 4
#: Of clock ticks in rta_cacheinfo, a second has as many on every architecture that Linux has today (USER_HZ).
_TICKS = 100

_ADDRESS = Layout("=BBBBI")
_LIFETIMES = Layout("=IIII")
_ROUTE = Layout("=BBBBBBBBI")
_RULE = Layout("=BBBBBBBBI")
_EXPIRES = Layout("=i")
_HOP = Layout("=HBBi")


def addresses_of(index: int) -> list[Item]:
    """The addresses of a device, IPv4 first, in the kernel's order, each in the form that add_address() takes."""
    with parsing():
        return [item for family in (socket.AF_INET, socket.AF_INET6) for item in _addresses(family, index)]


def _addresses(family: int, index: int) -> list[Item]:
    body = _ADDRESS.pack(family, 0, 0, 0, index)
    answers = conversation().ask(_RTM_GETADDR, body, NLM_F_DUMP)
    # Without IPv6 in the kernel the answer is that of all families.
    found = [answer for answer in answers if answer[0] == family and _ADDRESS.unpack_from(answer)[4] == index]
    # The kernel takes a new IPv6 address in front of those of its scope: so that they come back in their order.
    return [_parse_address(answer) for answer in (found if family == socket.AF_INET else reversed(found))]


def _parse_address(data: bytes) -> Item:
    family, length, flags, scope, _index = _ADDRESS.unpack_from(data)
    raw = attributes(data, _ADDRESS.size)
    found = dict(raw)
    local = socket.inet_ntop(family, found.get(_IFA_LOCAL) or found[_IFA_ADDRESS])
    return {"shown": f"{local}/{length}", "header": [family, length, flags, scope], "attributes": _to_text(raw)}


def holders_of(address: Item) -> list[tuple[int, Item]]:
    """The devices, by index, that have the same address now, each with its own description of it."""
    family, wanted = family_of(address), identity_of(address)
    answers = conversation().ask(_RTM_GETADDR, _ADDRESS.pack(family, 0, 0, 0, 0), NLM_F_DUMP)
    with parsing():
        found = [(_ADDRESS.unpack_from(answer)[4], _parse_address(answer)) for answer in answers if answer[0] == family]
    return [(index, item) for index, item in found if identity_of(item) == wanted]


def identity_of(address: Item) -> tuple[int, bytes | None, int]:
    """What makes two descriptions the same address: family, address and length of prefix."""
    return family_of(address), _value(address, _IFA_LOCAL) or _value(address, _IFA_ADDRESS), int(address["header"][1])


def family_of(item: Item) -> int:
    """The address family of an address or a route."""
    return int(item["header"][0])


def is_link_local(address: Item) -> bool:
    """Whether it is an IPv6 address of the link alone, as every device has one."""
    return family_of(address) == socket.AF_INET6 and str(address["shown"]).startswith("fe80:")


def seconds_left(address: Item) -> int | None:
    """How long the address is valid for; None where that does not end."""
    lifetimes = _value(address, _IFA_CACHEINFO)
    if lifetimes is None:
        return None
    valid = int(_LIFETIMES.unpack_from(lifetimes)[1])
    return None if valid == _FOREVER else valid


def origin_of(address: Item) -> int:
    """Who made an address, IFA_PROTO (Linux 5.18); 0 where that is not told."""
    return (_value(address, _IFA_PROTO) or b"\0")[0]


def flags_of(address: Item) -> int:
    """IFA_F_* of an address."""
    flags = _value(address, _IFA_FLAGS)
    return from_u32(flags) if flags else int(address["header"][2])


def add_address(index: int, address: Item, *, is_ours: bool = False) -> None:
    """Adds what addresses_of() described to a device. Raises KernelError.

    ``is_ours``: the host has it already, on another device, so that it can be used at once: nobody is asked whether
    it is taken (RFC 4862, duplicate address detection).
    """
    flags = flags_of(address)
    asks = family_of(address) == socket.AF_INET6 and not flags & NODAD
    if not is_ours or not asks or flags & (_TENTATIVE | _DADFAILED):
        conversation().ask(_RTM_NEWADDR, address_body(index, address), NLM_F_CREATE | NLM_F_EXCL)
        return
    unasked = address_body(index, _with_flags(address, flags | NODAD))
    conversation().ask(_RTM_NEWADDR, unasked, NLM_F_CREATE | NLM_F_EXCL)
    with contextlib.suppress(KernelError):  # it is there; only what is to be seen of it differs
        conversation().ask(_RTM_NEWADDR, address_body(index, address), NLM_F_REPLACE)


def _with_flags(address: Item, flags: int) -> Item:
    kept = [[kind, value] for kind, value in address["attributes"] if kind != _IFA_FLAGS]
    return {**address, "attributes": [*kept, [_IFA_FLAGS, struct.pack("=I", flags).hex()]]}


def delete_address(index: int, address: Item) -> None:
    """Removes what addresses_of() described from a device. Raises KernelError."""
    conversation().ask(_RTM_DELADDR, address_body(index, address))


def without_own_label(address: Item, device: str) -> Item:
    """The same address for another device: a label that is just the name of the device it was made for is left out."""
    own = (device.encode() + b"\0").hex()
    kept = [[kind, value] for kind, value in address["attributes"] if kind != _IFA_LABEL or value != own]
    return {**address, "attributes": kept}


def address_body(index: int, address: Item) -> bytes:
    """The message to the kernel about an address of a device."""
    return _ADDRESS.pack(*address["header"], index) + _to_bytes(address["attributes"])


def routes_via(index: int) -> list[Item]:
    """The routes that leave by a device, IPv4 first, in the form that add_route() takes.

    Those that the kernel makes and removes with an address are left out. Routes to neighbours come before routes that
    need these to reach a gateway. Of a route with several next hops, ``hops`` tells the devices; those by this device
    have the index 0. The next hops of IPv6 are routes of their own to the kernel, and so they are here.
    """
    with parsing():
        found = [item for family in (socket.AF_INET, socket.AF_INET6) for item in _routes(family, index)]
    return sorted(found, key=lambda route: (family_of(route), route["gateway"]))


def _routes(family: int, index: int) -> Iterator[Item]:
    body = _ROUTE.pack(family, *[0] * 8) + u32(_RTA_OIF, index)
    for answer in conversation().ask(_RTM_GETROUTE, body, NLM_F_DUMP):
        header = _ROUTE.unpack_from(answer)
        if header[0] == family and header[5] not in (PROTOCOL_KERNEL, PROTOCOL_REDIRECT):
            yield from _parse_route(answer, index)


def _parse_route(data: bytes, index: int) -> Iterator[Item]:
    header = list(_ROUTE.unpack_from(data))
    header[8] &= _ONLINK  # the rest tells of the device's state, and is not for giving back
    raw = attributes(data, _ROUTE.size)
    found = dict(raw)
    destination = found.get(_RTA_DST)
    shown = f"{socket.inet_ntop(header[0], destination)}/{header[1]}" if destination else "default"
    kept = [(kind, value) for kind, value in raw if kind not in (_RTA_OIF, _RTA_CACHEINFO, _RTA_MULTIPATH)]
    kept += _expiry(found)
    route = {"shown": shown, "gateway": bool(found.keys() & {_RTA_GATEWAY, _RTA_VIA}), "header": header}
    if _RTA_MULTIPATH not in found:
        yield {**route, "attributes": _to_text(kept)}
        return
    hops = _parse_hops(found[_RTA_MULTIPATH], index)
    if header[0] == socket.AF_INET:
        yield {**route, "gateway": True, "attributes": _to_text(kept), "hops": hops}
        return
    for hop in hops:
        flags, weight, device, particulars = hop
        if device == 0 and weight == 0:
            alone = [*header[:8], header[8] | flags & _ONLINK]
            yield {**route, "gateway": True, "header": alone, "attributes": _to_text(kept) + particulars}
        elif device == 0:
            yield {**route, "gateway": True, "attributes": _to_text(kept), "hops": [hop]}


def _expiry(found: dict[int, bytes]) -> list[tuple[int, bytes]]:
    """An IPv6 route that ends tells so in ticks, and is told so in seconds."""
    ticks = _EXPIRES.unpack_from(found[_RTA_CACHEINFO], 8)[0] if _RTA_CACHEINFO in found else 0
    return [(_RTA_EXPIRES, struct.pack("=I", math.ceil(ticks / _TICKS)))] if ticks > 0 else []


def _parse_hops(data: bytes, index: int) -> list[list[Any]]:
    hops, offset = [], 0
    while offset + _HOP.size <= len(data):
        length, flags, weight, device = _HOP.unpack_from(data, offset)
        if length < _HOP.size:
            break
        particulars = attributes(data[offset : offset + length], _HOP.size)
        hops.append([flags & _ONLINK, weight, 0 if device == index else device, _to_text(particulars)])
        offset += (length + 3) & ~3
    return hops


def gateways_of(route: Item) -> list[str]:
    """The addresses of the gateways of a route that are of its own family and reached by its device."""
    family = family_of(route)
    lists = [route["attributes"], *(hop[3] for hop in route.get("hops", ()) if hop[2] == 0)]
    packed = (bytes.fromhex(value) for listed in lists for kind, value in listed if kind == _RTA_GATEWAY)
    return [socket.inet_ntop(family, value) for value in packed]


def place_of(route: Item) -> tuple[Any, ...]:
    """What tells a route from others to the same destination: type of service, table and metric."""
    table, metric = _value(route, _RTA_TABLE), _value(route, _RTA_PRIORITY)
    number = from_u32(table) if table else route["header"][4]
    return (family_of(route), route["shown"], route["header"][3], number, metric)


def destination_of(route: Item) -> tuple[Any, ...]:
    """Where a route leads, and by whom: all that tells it from others but how it ranks, and how long it lasts."""
    passing = (_RTA_PRIORITY, _RTA_EXPIRES, _RTA_CACHEINFO, _RTA_PREF)
    lasting = sorted((kind, value) for kind, value in route["attributes"] if kind not in passing)
    hops = sorted((hop[1], hop[2], sorted(map(tuple, hop[3]))) for hop in route.get("hops", ()))
    return (*route["header"][:8], tuple(lasting), tuple((*hop[:2], tuple(hop[2])) for hop in hops))


def metric_of(route: Item) -> int | None:
    """Its rank among routes to the same destination; None where none is said."""
    metric = _value(route, _RTA_PRIORITY)
    return from_u32(metric) if metric and len(metric) == 4 else None


def is_by_nexthop_object(route: Item) -> bool:
    """Whether its next hop is an object of its own (`ip nexthop`)."""
    return _value(route, _RTA_NH_ID) is not None


def is_advertised(route: Item) -> bool:
    """Whether it comes from a router advertisement."""
    return family_of(route) == socket.AF_INET6 and route["header"][5] == PROTOCOL_RA


def with_metric(route: Item, metric: int) -> Item:
    """The same route with another metric."""
    kept = [[kind, value] for kind, value in route["attributes"] if kind != _RTA_PRIORITY]
    return {**route, "attributes": [*kept, [_RTA_PRIORITY, struct.pack("=I", metric).hex()]]}


def without_expiry(route: Item) -> Item:
    """The same route, to last."""
    return {**route, "attributes": [[kind, value] for kind, value in route["attributes"] if kind != _RTA_EXPIRES]}


def add_route(index: int, route: Item, *, beside: bool = False) -> None:
    """Adds what routes_via() described, through the device ``index``. Raises KernelError.

    ``beside``: also where there is such a route by another device, which then goes before this one.
    """
    flags = NLM_F_CREATE | (NLM_F_APPEND if beside else NLM_F_EXCL)
    conversation().ask(_RTM_NEWROUTE, route_body(index, route), flags)


def delete_route(index: int, route: Item) -> None:
    """Removes what routes_via() described, through the device ``index``. Raises KernelError."""
    try:
        conversation().ask(_RTM_DELROUTE, route_body(index, route))
    except KernelError as error:
        if error.errno != errno.ESRCH or without_expiry(route) == route:
            raise
        conversation().ask(_RTM_DELROUTE, route_body(index, without_expiry(route)))


def route_body(index: int, route: Item) -> bytes:
    """The message to the kernel about a route through a device."""
    body = _ROUTE.pack(*route["header"]) + _to_bytes(route["attributes"])
    if "hops" not in route:
        return body + u32(_RTA_OIF, index)
    return body + attribute(_RTA_MULTIPATH, b"".join(_hop_bytes(index, hop) for hop in route["hops"]))


def _hop_bytes(index: int, hop: Sequence[Any]) -> bytes:
    flags, weight, device, particulars = hop
    raw = _to_bytes(particulars)
    return _HOP.pack(_HOP.size + len(raw), flags, weight, device or index) + raw


def rules_naming(device: str) -> list[str]:
    """What the rules of routing (`ip rule`) that are for packets from, or to, a device say of it."""
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        for answer in conversation().ask(_RTM_GETRULE, _RULE.pack(family, *[0] * 8), NLM_F_DUMP):
            named = dict(attributes(answer, _RULE.size))
            for word, kind in (("iif", _FRA_IIFNAME), ("oif", _FRA_OIFNAME)):
                if answer[0] == family and named.get(kind, b"").rstrip(b"\0") == device.encode():
                    found.append(f"{word} {device}")
    return found


def _value(item: Item, wanted: int) -> bytes | None:
    return next((bytes.fromhex(value) for kind, value in item["attributes"] if kind == wanted), None)


def _to_text(raw: Sequence[tuple[int, bytes]]) -> list[list[Any]]:
    return [[kind, value.hex()] for kind, value in raw]


def _to_bytes(raw: Sequence[Sequence[Any]]) -> bytes:
    return b"".join(attribute(kind, bytes.fromhex(value)) for kind, value in raw)
