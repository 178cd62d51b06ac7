# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an object that is well-formed, but that no host could do anything with.

The object layer takes what peers have always sent: any text as a UUID, any text as the name of a device. Whoever is
about to act on it asks here first.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from os_vif.objects.base import VersionedObject
from os_vif.objects.fields import IntegerField, MACAddressField, UUIDField
from os_vif.objects.wire.walk import join, walk

IFNAMSIZ = 16
"""The kernel's size of an interface name, its terminating zero included."""

MIN_MTU, MAX_MTU = 68, 65535
MIN_VLAN, MAX_VLAN = 1, 4094

INTERFACE_NAMES = frozenset(("bridge", "bridge_interface", "bridge_name", "representor_name", "vif_name", "vlan_name"))
"""Attributes that name network interfaces, of whatever object: fields, and plain attributes that callers add.

That of a Route is not among them: it is inside the guest, and guests name theirs as they like.
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the dotted path of the field, its value, why, and what to do."""

    field: str
    value: Any
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


Check = Callable[[Any], "tuple[str, str] | None"]
"""Takes a value that is set and not None; returns reason and hint, or None if all is well."""


def problems(obj: VersionedObject) -> list[Problem]:
    """Everything that is wrong with ``obj`` and with the objects in it; empty when all is well.

    Fields that are unset or None are never wrong here: which of them are needed is for the plugin to say.
    """
    return [problem for path, item in walk(obj) for problem in _problems_of(item, path)]


def _problems_of(obj: VersionedObject, path: str) -> Iterator[Problem]:
    state = obj.__dict__
    cls: Any = type(obj)
    for name, slot, check in _checks(cls):
        value = state.get(slot)
        found = None if value is None else check(value)
        if found is not None:
            yield Problem(join(path, name), value, *found)


@functools.cache
def _checks(cls: Any) -> tuple[tuple[str, str, Check], ...]:
    """Of a class: the attributes to look at, where each is kept, and what to look for."""
    # Nova names the device of a VIFHostDevice and the bridge of a VIFVHostUser in plain attributes.
    plain = sorted(INTERFACE_NAMES - cls.fields.keys())
    checked = ((name, _check_for(name, field)) for name, field in cls.fields.items())
    return (
        *((name, "_obj_" + name, check) for name, check in checked if check),
        *((name, name, interface_name) for name in plain),
    )


def _check_for(name: str, field: Any) -> Check | None:
    if name in INTERFACE_NAMES:
        return interface_name
    kind = getattr(field, "wrapped", field)
    if name in _BY_NAME and isinstance(kind, IntegerField):
        return _BY_NAME[name]
    return next((check for wanted, check in _BY_KIND if isinstance(kind, wanted)), None)


def interface_name(name: Any) -> tuple[str, str] | None:
    """Why the kernel, or a program in front of it, would not take ``name`` for an interface, and what to do."""
    if not isinstance(name, str):
        return f"the name of an interface is text, not a {type(name).__name__}", _NAME_HINT
    size = len(name.encode(errors="surrogatepass"))
    if not name:
        return "the name of an interface cannot be empty", "Leave the field unset if there is no interface."
    if name in _RESERVED:
        return f"{name!r} cannot be the name of an interface", _NAME_HINT
    if size >= IFNAMSIZ:
        return f"{name!r:.60} is {size} bytes long; the kernel takes {IFNAMSIZ - 1}", _NAME_HINT
    if name.startswith("-"):
        return f"{name!r} would be read as an option by the programs that it is given to", _NAME_HINT
    wrong = _WRONG_IN_NAME.search(name)
    if wrong:
        return f"{name!r} has {_say(wrong.group())} in it", _NAME_HINT
    return None


_NAME_HINT = f"Use at most {IFNAMSIZ - 1} letters, digits, '-', '_' and '.'."
#: Paths; the loopback device; what stands for all devices below /proc/sys/net; a file of /sys/class/net.
_RESERVED = frozenset((".", "..", "lo", "all", "default", "bonding_masters"))

# The kernel takes nearly anything. But "%d" has it make up another name, "+" at the end stands for every name that
# begins so to iptables, others are patterns, quotes or markup to somebody, and many cannot be told apart by looking.
_WRONG_IN_NAME = re.compile(r"[^A-Za-z0-9._-]")


def _say(character: str) -> str:
    return {"/": "a slash", ":": "a colon", " ": "a space", "\0": "a NUL"}.get(character, f"{character!r}")


def uuid(value: str) -> tuple[str, str] | None:
    """Why ``value`` is no UUID, and what to do."""
    if _UUID.fullmatch(value):
        return None
    return f"{value!r:.60} is not a UUID", "A UUID has 32 hexadecimal digits, as in 8-4-4-4-12."


_UUID = re.compile("[0-9a-fA-F]{8}(?P<dash>-?)(?:[0-9a-fA-F]{4}(?P=dash)){3}[0-9a-fA-F]{12}")


def mac_address(value: str) -> tuple[str, str] | None:
    """Why no device can have ``value`` as its MAC address, and what to do."""
    if value == "00:00:00:00:00:00":
        return f"{value} is no device's address", "Use the address that the port has on its network."
    if int(value[:2], 16) & 1:
        hint = "The first octet has to be even, as in fa:16:3e:00:00:01."
        return f"{value} is a multicast address, which no device can have", hint
    return None


def mtu(value: int) -> tuple[str, str] | None:
    """Why no interface can have ``value`` as its MTU, and what to do."""
    if MIN_MTU <= value <= MAX_MTU:
        return None
    return f"{_number(value)} bytes cannot be an MTU", f"Use {MIN_MTU} to {MAX_MTU}, or null to leave it alone."


def vlan(value: int) -> tuple[str, str] | None:
    """Why ``value`` is no VLAN id, and what to do."""
    if MIN_VLAN <= value <= MAX_VLAN:
        return None
    return f"{_number(value)} is not a VLAN id", f"Use {MIN_VLAN} to {MAX_VLAN}, or null for no VLAN."


def _number(value: int) -> str:
    return str(value) if abs(value) < 10**20 else "a number of more than 20 digits"


_BY_NAME: dict[str, Check] = {"mtu": mtu, "vlan": vlan}
_BY_KIND: tuple[tuple[type, Check], ...] = ((UUIDField, uuid), (MACAddressField, mac_address))
