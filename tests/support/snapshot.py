# SPDX-License-Identifier: Apache-2.0
"""All of a namespace's network state that somebody could see, in a form that compares: the host as it was, or not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

#: What changes by itself: timers, counters, carrier, numbers that the kernel gives out.
_VOLATILE_LINK = {
    "ifindex",
    "link_index",
    "operstate",
    "stats",
    "stats64",
    "qdisc",
    "carrier_changes",
    "perm_addr",
}
_VOLATILE_FLAGS = {"LOWER_UP", "NO-CARRIER", "RUNNING", "M-DOWN"}
_VOLATILE_INFO = {
    "hello_timer", "tcn_timer", "topology_change_timer", "gc_timer", "topology_change", "topology_change_detected",
    "state", "message_age_timer", "forward_delay_timer", "hold_timer", "topology_change_ack", "config_pending",
    "bridge_id", "root_id", "designated_bridge", "designated_root", "id", "no", "designated_port", "root_port",
}  # fmt: skip
_VOLATILE_ROUTE = {"flags", "expires", "used", "age", "cache"}
_VOLATILE_ADDRESS_FLAGS = {"tentative", "optimistic"}
_UNREADABLE_SYSCTLS = {"stable_secret"}


def links(raw: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Devices by name, from `ip -j -d link show`."""
    return {link["ifname"]: _link(link) for link in raw if "ifname" in link}


def _link(raw: Mapping[str, Any]) -> dict[str, Any]:
    link = {key: value for key, value in raw.items() if key not in _VOLATILE_LINK}
    link["flags"] = sorted(set(raw.get("flags", ())) - _VOLATILE_FLAGS)
    if "linkinfo" in link:
        link["linkinfo"] = {
            key: _without(value, _VOLATILE_INFO) if isinstance(value, Mapping) else value
            for key, value in link["linkinfo"].items()
        }
    return link


def addresses(raw: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Addresses by device, each in one line, from `ip -j -d addr show`."""
    found: dict[str, list[str]] = {}
    for link in raw:
        lines = sorted(_address(address) for address in link.get("addr_info", ()) if address)
        if lines:
            found[link["ifname"]] = lines
    return found


def _address(raw: Mapping[str, Any]) -> str:
    address = {key: value for key, value in raw.items() if key not in _VOLATILE_ADDRESS_FLAGS}
    for life in ("valid_life_time", "preferred_life_time"):
        if life in address and address[life] != (1 << 32) - 1:
            address[life] = "limited"
    return _line(address)


def routes(raw: Iterable[Mapping[str, Any]]) -> list[str]:
    """Routes, each in one line, from `ip -j -d route show table all`."""
    return sorted(_line(_without(route, _VOLATILE_ROUTE)) for route in raw)


def firewall(saved: str) -> list[str]:
    """Rules and chains of `iptables-save`, without comments, counters, and built-in chains that do nothing.

    Looking at a table is enough to bring its built-in chains into being, so these tell nothing.
    """
    lines: list[str] = []
    table = ""
    for line in saved.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            chain, policy, *_ = line[1:].split()
            if policy != "ACCEPT":
                lines.append(f"{table}: :{chain} {policy}")
        elif line.startswith("-"):
            lines.append(f"{table}: {line}")
    return lines


def sysctls() -> dict[str, dict[str, str]]:
    """Every per-device setting of IPv4 and IPv6, for the namespace of the calling thread."""
    found: dict[str, dict[str, str]] = {}
    for family in ("ipv4", "ipv6"):
        for device in sorted(Path(f"/proc/sys/net/{family}/conf").glob("*")):
            found[f"{family}/{device.name}"] = {
                setting.name: setting.read_text().strip()
                for setting in sorted(device.iterdir())
                if setting.name not in _UNREADABLE_SYSCTLS
            }
    for setting in (Path("/proc/sys/net/ipv4/ip_forward"), *sorted(Path("/proc/sys/net/bridge").glob("*"))):
        found.setdefault("global", {})[setting.name] = setting.read_text().strip()
    return found


def differences(before: Any, after: Any, where: str = "") -> list[str]:
    """What differs between two snapshots, a line each: `links/br0/mtu: 1500 -> 1450`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        lines: list[str] = []
        for key in sorted(before.keys() | after.keys()):
            lines += differences(before.get(key), after.get(key), f"{where}/{key}" if where else str(key))
        return lines
    if isinstance(before, list) and isinstance(after, list):
        gone = [f"{where}: gone: {item}" for item in before if item not in after]
        return gone + [f"{where}: new: {item}" for item in after if item not in before]
    return [] if before == after else [f"{where}: {before} -> {after}"]


def _without(mapping: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


def _line(mapping: Mapping[str, Any]) -> str:
    return json.dumps(mapping, sort_keys=True)
