# SPDX-License-Identifier: Apache-2.0
"""What was there before, as the journal has it: whoever puts it back gets what a backend has written, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from os_vif.foreign import shown

_MOST = 1 << 32


def check(prior: Any) -> None:
    """Raises ValueError for what no backend of ours writes. What others write has names of their own."""
    if not isinstance(prior, dict):
        raise ValueError(f"what was there before is {shown(prior)}")
    for name, value in prior.items():
        if not _KNOWN.get(name.partition(" ")[0], _is_anything)(value):
            raise ValueError(f"what was there before has {shown(value)} as {shown(name)}")


def _is_anything(value: Any) -> bool:
    return True


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value < _MOST


def _is_number_or_none(value: Any) -> bool:
    return value is None or _is_number(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def _are_addresses(value: Any) -> bool:
    from os_vif.host.kernel.address_form import is_usable_address

    return isinstance(value, list) and all(map(is_usable_address, value))


def _are_routes(value: Any) -> bool:
    from os_vif.host.kernel.address_form import is_usable_route

    return isinstance(value, list) and all(map(is_usable_route, value))


_KNOWN: Mapping[str, Callable[[Any], bool]] = {
    "index": _is_number,
    "mtu": _is_number,
    "mac": _is_text,
    "alias": _is_text,
    "master": _is_text,
    "sysctl": _is_text,
    "option": _is_number_or_none,
    "up": _is_flag,
    "promiscuous": _is_flag,
    "ipv6": _is_flag,
    "addresses": _are_addresses,
    "routes": _are_routes,
}
