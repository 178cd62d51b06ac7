# SPDX-License-Identifier: Apache-2.0
"""The IPv4 addresses and routes of a device, over rtnetlink: read, added and removed without losing an attribute.

What is read is kept in a form that JSON can hold and that can be given back to the kernel: the fixed header and
the attributes, as bytes in hexadecimal. Layouts are from linux/if_addr.h and linux/rtnetlink.h.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from os_vif.host.netlink import NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, attribute, attributes, conversation, u32

_RTM_NEWADDR, _RTM_DELADDR, _RTM_GETADDR = 20, 21, 22
_RTM_NEWROUTE, _RTM_DELROUTE, _RTM_GETROUTE = 24, 25, 26

_IFA_LOCAL, _IFA_LABEL = 2, 3
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_MULTIPATH, _RTA_CACHEINFO = 1, 4, 5, 9, 12

_PROTOCOL_KERNEL = 2
_ONLINK = 4

_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")


def addresses_of(index: int) -> list[dict[str, Any]]:
    """The IPv4 addresses of a device, in the kernel's order, each in the form that add_address() takes."""
    body = _ADDRESS.pack(socket.AF_INET, 0, 0, 0, index)
    return [_parse_address(answer) for answer in conversation().ask(_RTM_GETADDR, body, NLM_F_DUMP)]


def _parse_address(data: bytes) -> dict[str, Any]:
    family, length, flags, scope, _index = _ADDRESS.unpack_from(data)
    raw = attributes(data, _ADDRESS.size)
    local = socket.inet_ntop(family, dict(raw)[_IFA_LOCAL])
    return {"shown": f"{local}/{length}", "header": [family, length, flags, scope], "attributes": _to_text(raw)}


def add_address(index: int, address: dict[str, Any]) -> None:
    """Adds what addresses_of() described to a device. Raises KernelError."""
    conversation().ask(_RTM_NEWADDR, _address_body(index, address), NLM_F_CREATE | NLM_F_EXCL)


def delete_address(index: int, address: dict[str, Any]) -> None:
    """Removes what addresses_of() described from a device. Raises KernelError."""
    conversation().ask(_RTM_DELADDR, _address_body(index, address))


def without_label(address: dict[str, Any]) -> dict[str, Any]:
    """The same address for another device: a label holds the name of the device it was made for."""
    kept = [[kind, value] for kind, value in address["attributes"] if kind != _IFA_LABEL]
    return {**address, "attributes": kept}


def _address_body(index: int, address: dict[str, Any]) -> bytes:
    return _ADDRESS.pack(*address["header"], index) + _to_bytes(address["attributes"])


def routes_via(index: int) -> list[dict[str, Any]]:
    """The IPv4 routes that leave by a device, in the form that add_route() takes.

    Those that the kernel makes and removes with an address are left out, and so are routes over several devices,
    which are not the device's alone. Routes to neighbours come before routes that need these to reach a gateway.
    """
    body = _ROUTE.pack(socket.AF_INET, *[0] * 8) + u32(_RTA_OIF, index)
    answers = conversation().ask(_RTM_GETROUTE, body, NLM_F_DUMP)
    routes = [_parse_route(answer) for answer in answers if _ROUTE.unpack_from(answer)[5] != _PROTOCOL_KERNEL]
    return sorted((route for route in routes if route), key=lambda route: route["gateway"])


def _parse_route(data: bytes) -> dict[str, Any]:
    header = list(_ROUTE.unpack_from(data))
    header[8] &= _ONLINK  # the rest tells of the device's state, and is not for giving back
    raw = attributes(data, _ROUTE.size)
    found = dict(raw)
    if _RTA_MULTIPATH in found:
        return {}
    destination = found.get(_RTA_DST)
    shown = f"{socket.inet_ntop(socket.AF_INET, destination)}/{header[1]}" if destination else "default"
    kept = [(kind, value) for kind, value in raw if kind not in (_RTA_OIF, _RTA_CACHEINFO)]
    return {"shown": shown, "gateway": _RTA_GATEWAY in found, "header": header, "attributes": _to_text(kept)}


def add_route(index: int, route: dict[str, Any]) -> None:
    """Adds what routes_via() described, through the device ``index``. Raises KernelError."""
    conversation().ask(_RTM_NEWROUTE, _route_body(index, route), NLM_F_CREATE | NLM_F_EXCL)


def delete_route(index: int, route: dict[str, Any]) -> None:
    """Removes what routes_via() described, through the device ``index``. Raises KernelError."""
    conversation().ask(_RTM_DELROUTE, _route_body(index, route))


def _route_body(index: int, route: dict[str, Any]) -> bytes:
    return _ROUTE.pack(*route["header"]) + _to_bytes(route["attributes"]) + u32(_RTA_OIF, index)


def _to_text(raw: list[tuple[int, bytes]]) -> list[list[Any]]:
    return [[kind, value.hex()] for kind, value in raw]


def _to_bytes(raw: list[list[Any]]) -> bytes:
    return b"".join(attribute(kind, bytes.fromhex(value)) for kind, value in raw)
