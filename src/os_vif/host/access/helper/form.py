# SPDX-License-Identifier: Apache-2.0
"""The form of what the privileged helper is asked for: which arguments there are, of which types, in which bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from os_vif.host.kernel import address_form
from os_vif.host.state import mark_form

Arguments = dict[str, Any]
Is = Callable[[Any], bool]

_MAC = re.compile(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}", re.IGNORECASE)
_LONGEST_ALIAS = 255
_LONGEST_NAME = 15
#: What the kernel takes; the names of "all" devices are those of settings, and no device's.
_NAME = re.compile(r"(?!(?:\.{1,2}|all|default)$)[^\s/:\x00]+")
_MOST_RULES = 1024
_U32 = 0xFFFFFFFF


def checked(name: Any, arguments: Any) -> Arguments:
    """The arguments of an operation. Raises ValueError for others than it has."""
    form = _FORMS.get(name) if isinstance(name, str) else None
    if form is None:
        raise ValueError("there is no such operation")
    if not isinstance(arguments, Mapping):
        raise ValueError("its arguments are not named")
    for key, value in arguments.items():
        if key not in form:
            raise ValueError(f"it takes no {key!r:.40}")
        if not form[key](value):
            raise ValueError(f"its {key} cannot be {value!r:.80}")
    missing = _NEEDED[name] - arguments.keys()
    if missing:
        raise ValueError(f"its {', '.join(sorted(missing))} is missing")
    return dict(arguments)


def _number(least: int, most: int) -> Is:
    return lambda value: type(value) is int and least <= value <= most


def _one_of(*values: str) -> Is:
    return lambda value: isinstance(value, str) and value in values


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable() and len(value) < _LONGEST_ALIAS


def _is_name(value: Any) -> bool:
    return (
        isinstance(value, str)
        and value.isprintable()
        and _NAME.fullmatch(value) is not None
        and len(value.encode()) <= _LONGEST_NAME
    )


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_mac(value: Any) -> bool:
    return isinstance(value, str) and _MAC.fullmatch(value) is not None and bool(value.strip("0:"))


def _is_alias(value: Any) -> bool:
    """Only what os-vif itself writes there: whoever reads marks goes by it."""
    return (
        isinstance(value, str)
        and value.isprintable()
        and len(value.encode()) <= _LONGEST_ALIAS
        and mark_form.FORM.fullmatch(value) is not None
    )


#: Per kind of device what may be said of it, see IFLA_BR_*, IFLA_VLAN_* and IFLA_MACVLAN_* in linux/if_link.h.
_OPTIONS: Mapping[str, Mapping[str, Is]] = {
    "bridge": {
        "ageing_time": _number(0, _U32),
        "forward_delay": _number(0, _U32),
        "stp": _number(0, 1),
        "mcast_snooping": _number(0, 1),
    },
    "vlan": {"vlan_id": _number(1, 4094)},
    "macvtap": {"mode": _one_of("private", "vepa", "bridge", "passthru")},
    "veth": {},
}


def are_options(kind: Any, options: Any) -> bool:
    """Whether they can be given to a device of that kind."""
    known = _OPTIONS.get(kind, {})
    return isinstance(options, Mapping) and all(key in known and known[key](value) for key, value in options.items())


def _is_some_option(value: Any) -> bool:
    return isinstance(value, Mapping) and len(value) <= max(map(len, _OPTIONS.values()))


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float)


def _is_ip(value: Any) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return isinstance(value, str)


def _are_rules(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) <= _MOST_RULES and all(map(_is_text, value))


_FAMILY = _one_of("ipv4", "ipv6")
_KIND = _one_of(*_OPTIONS)
_MTU = _number(68, 65535)
_BIRTH: Mapping[str, Is] = {"name": _is_name, "mac": _is_mac, "mtu": _MTU}
# What these say is compared, never given to the kernel.
_ADDRESS: Mapping[str, Is] = {"name": _is_name, "address": address_form.is_address}
_ROUTE: Mapping[str, Is] = {"name": _is_name, "route": address_form.is_route}

_FORMS: Mapping[str, Mapping[str, Is]] = {
    "link.add": {**_BIRTH, "kind": _KIND, "parent": _is_name, "peer": _is_name, "options": _is_some_option},
    "link.set": {
        **_BIRTH,
        "master": lambda value: value == "" or _is_name(value),
        "up": _is_flag,
        "promiscuous": _is_flag,
        "alias": lambda value: value == "" or _is_alias(value),
        "kind": _KIND,
        "options": _is_some_option,
    },
    "link.rename": {"name": _is_name, "to": _is_name, "index": _number(1, 0x7FFFFFFF), "interrupt": _is_flag},
    "link.delete": {"name": _is_name, "index": _number(1, 0x7FFFFFFF)},
    "tap.add": {**_BIRTH, "multi_queue": _is_flag, "owner": _number(0, _U32 - 1), "group": _number(0, _U32 - 1)},
    "sysctl.set": {"name": _is_name, "family": _FAMILY, "key": _is_text, "value": _is_text, "like": _is_name},
    "address.add": _ADDRESS,
    "address.delete": _ADDRESS,
    "neighbour.probe": {"name": _is_name, "address": _is_ip, "seconds": _is_seconds},
    "route.add": _ROUTE,
    "route.delete": _ROUTE,
    "firewall.set": {
        "family": _FAMILY,
        "chain": _is_text,
        "rules": _are_rules,
        "jumps": _number(0, _U32),
        "below": lambda value: isinstance(value, str),
    },
    "firewall.delete": {"family": _FAMILY, "chain": _is_text},
}

_NEEDED: Mapping[str, frozenset[str]] = {
    **{name: frozenset(("name",)) for name in _FORMS},
    "link.add": frozenset(("name", "kind")),
    "link.rename": frozenset(("name", "to", "index")),
    "sysctl.set": frozenset(("name", "family", "key", "value")),
    "address.add": frozenset(_ADDRESS),
    "address.delete": frozenset(_ADDRESS),
    "neighbour.probe": frozenset(("name", "address", "seconds")),
    "route.add": frozenset(_ROUTE),
    "route.delete": frozenset(_ROUTE),
    "firewall.set": frozenset(("family", "chain", "rules")),
    "firewall.delete": frozenset(("family", "chain")),
}
