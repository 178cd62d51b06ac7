# SPDX-License-Identifier: Apache-2.0
"""What can be seen of the network namespace of the calling thread, in a form that compares."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from os_vif.host.access.host import RealHost
from os_vif.host.kernel.addresses import is_link_local
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import NO_HOST_IP


def kernel_snapshot(without: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Every device with its attributes, addresses and routes, by name.

    Indexes are left out, and so are the MACs of bridges, which are made up, and IPv6 addresses of the link. ``without``
    names attributes that your plugin leaves to chance: "mac", say.
    """
    host = RealHost()
    return {link.name: _seen(host, link, without) for link in host.all_links()}


def _seen(host: RealHost, link: LinkInfo, without: Collection[str]) -> dict[str, Any]:
    seen = {
        "kind": link.kind,
        "mac": "" if link.kind == "bridge" else link.mac,
        "mtu": link.mtu,
        "up": link.up,
        "promiscuous": link.promiscuous,
        "alias": link.alias,
        "group": link.group,
        "options": link.options,
        "master": _name(host, link.master),
        "parent": _name(host, link.parent),
        "sysctls": {key: host.read_sysctl(link.name, *key.split("/")) for key in NO_HOST_IP},
        "addresses": [a["shown"] for a in host.addresses_of(link.index) if not is_link_local(a)],
        "routes": sorted(route["shown"] for route in host.routes_via(link.index)),
    }
    return {name: value for name, value in seen.items() if name not in without}


def _name(host: RealHost, index: int) -> str:
    link = host.get_link_by_index(index) if index else None
    return link.name if link else ""
