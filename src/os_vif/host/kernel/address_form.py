# SPDX-License-Identifier: Apache-2.0
"""The form of addresses and routes as addresses.py describes them: of what comes back from a file, or from a client."""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from os_vif.host.kernel import addresses

#: Numbers of the headers (struct ifaddrmsg without its index, struct rtmsg).
_ADDRESS_NUMBERS, _ROUTE_NUMBERS = 4, 9
_MOST_ATTRIBUTES = 64
_HEXADECIMAL = re.compile(r"([0-9a-f]{2})*")
_U16, _U32 = 0xFFFF, 0xFFFFFFFF

_SOME_INDEX = 1
_OF_ADDRESS = (
    addresses.identity_of,
    addresses.seconds_left,
    addresses.origin_of,
    addresses.flags_of,
    functools.partial(addresses.address_body, _SOME_INDEX),
)
_OF_ROUTE = (
    addresses.gateways_of,
    addresses.place_of,
    addresses.destination_of,
    addresses.metric_of,
    functools.partial(addresses.route_body, _SOME_INDEX),
)


def is_address(value: Any) -> bool:
    """Whether it has the form of an address; what it says may be nonsense."""
    return _is_item(value, _ADDRESS_NUMBERS)


def is_route(value: Any) -> bool:
    """The same for a route."""
    return _is_item(value, _ROUTE_NUMBERS)


def is_usable_address(value: Any) -> bool:
    """Whether it can be compared with those that a device has, and given to one."""
    return is_address(value) and _is_told(value) and _can_be_read(value, _OF_ADDRESS)


def is_usable_route(value: Any) -> bool:
    """The same for a route."""
    return (
        is_route(value)
        and _is_told(value)
        and isinstance(value.get("gateway"), bool)
        and _can_be_read(value, _OF_ROUTE)
    )


def _is_item(value: Any, numbers: int) -> bool:
    return (
        isinstance(value, Mapping)
        and _are_numbers(value.get("header"), numbers)
        and _are_attributes(value.get("attributes"))
        and isinstance(value.get("hops", []), list | tuple)
        and all(map(_is_hop, value.get("hops", ())))
    )


def _is_hop(value: Any) -> bool:
    return (
        isinstance(value, list | tuple) and len(value) == 4 and _are_numbers(value[:3], 3) and _are_attributes(value[3])
    )


def _are_numbers(value: Any, length: int) -> bool:
    return isinstance(value, list | tuple) and len(value) == length and all(_is_number(one, _U32) for one in value)


def _are_attributes(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) < _MOST_ATTRIBUTES and all(map(_is_attribute, value))


def _is_attribute(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and len(value) == 2
        and _is_number(value[0], _U16)
        and isinstance(value[1], str)
        and _HEXADECIMAL.fullmatch(value[1]) is not None
    )


def _is_number(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value <= most


def _is_told(value: Mapping[str, Any]) -> bool:
    shown = value.get("shown")
    return isinstance(shown, str) and shown.isprintable()


def _can_be_read(value: Any, readings: Sequence[Callable[[Any], object]]) -> bool:
    try:
        for read in readings:
            read(value)
    except (struct.error, ValueError, OSError, LookupError):
        return False
    return True
