# SPDX-License-Identifier: Apache-2.0
"""Per-device sysctls, below /proc/sys/net of this thread's network namespace.

Meaning of the keys: the kernel's Documentation/networking/ip-sysctl.rst.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

#: What a host says of an interface that has its addresses, and means of the bridge that takes its place.
OF_ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "ipv4": (
        *("accept_local", "accept_redirects", "accept_source_route", "arp_accept", "arp_announce", "arp_filter"),
        *("arp_ignore", "arp_notify", "disable_policy", "disable_xfrm", "drop_gratuitous_arp", "forwarding"),
        *("ignore_routes_with_linkdown", "log_martians", "promote_secondaries", "proxy_arp", "proxy_arp_pvlan"),
        *("route_localnet", "rp_filter", "secure_redirects", "send_redirects", "shared_media", "src_valid_mark"),
    ),
    "ipv6": (
        *("accept_dad", "accept_ra", "accept_ra_defrtr", "accept_ra_from_local", "accept_ra_min_hop_limit"),
        *("accept_ra_mtu", "accept_ra_pinfo", "accept_ra_rt_info_max_plen", "accept_ra_rt_info_min_plen"),
        *("accept_ra_rtr_pref", "accept_redirects", "accept_source_route", "autoconf", "dad_transmits"),
        *("drop_unsolicited_na", "forwarding", "hop_limit", "keep_addr_on_down", "ndisc_notify", "proxy_ndp"),
        *("ra_defrtr_metric", "router_solicitations", "use_tempaddr"),
    ),
}

_WRITABLE = {"ipv4": set(OF_ADDRESSES["ipv4"]), "ipv6": {*OF_ADDRESSES["ipv6"], "addr_gen_mode", "disable_ipv6"}}


def read(device: str, family: str, key: str) -> str | None:
    """The value, or None where the kernel has no such key (IPv6 may be switched off as a whole)."""
    try:
        file = os.open(_path(device, family, key), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return os.read(file, 64).decode(errors="replace").strip()
    finally:
        os.close(file)


def write(device: str, family: str, key: str, value: str) -> None:
    """Sets a value. A key that the kernel does not have is passed over, and one that is read-only and right.

    Raises OSError, ValueError.
    """
    check_writable(family, key)
    path = _path(device, family, key)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if Path(path).parent.exists():
            raise
        return
    except OSError:
        # Read-only in containers, and for services with ProtectKernelTunables (moby issue 47751).
        if read(device, family, key) == value:
            return
        raise
    try:
        os.write(file, value.encode())
    finally:
        os.close(file)


def bridges_call_filter(family: str) -> bool:
    """Whether all bridges of this namespace have iptables ("ipv4") or ip6tables ("ipv6") look at what they pass."""
    tool = {"ipv4": "iptables", "ipv6": "ip6tables"}[family]
    try:
        return Path(f"/proc/sys/net/bridge/bridge-nf-call-{tool}").read_text().strip() != "0"
    except OSError:
        return False  # br_netfilter is not loaded


def check_writable(family: str, key: str) -> None:
    """Raises ValueError for what is not on the list."""
    if key not in _WRITABLE.get(family, ()):
        raise ValueError(f"sysctl {family}/{key} is not one that os-vif sets")


def _path(device: str, family: str, key: str) -> str:
    return f"/proc/sys/net/{family}/conf/{device}/{key}"
