# SPDX-License-Identifier: Apache-2.0
"""Which addresses and routes the privileged helper moves for its caller: between a device and its bridge.

Only what the host has can be added, as the kernel describes it where it is now, and only what is in both places can be
taken away. So whoever calls can neither give the host an address or a route, nor take its last one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from os_vif.host.access.helper.links import find, host_addresses, is_carrier, is_ours, refused, without
from os_vif.host.kernel import addresses as ip
from os_vif.host.kernel import rtnetlink
from os_vif.host.kernel.rtnetlink import LinkInfo

Arguments = dict[str, Any]


def address_to_add(name: str, address: ip.Item) -> Arguments:
    """With the address as it is on the device or bridge that it comes from. Raises KernelError."""
    target, holders = find(name), ip.holders_of(address)
    for index, item in holders:
        if index == target.index:
            return {"name": name, "address": item}
    for index, item in holders:
        source = rtnetlink.get_link_by_index(index)
        if source is not None and (_leads_out_of(source, target) or _is_bridge_of(source, target)):
            return {"name": name, "address": ip.without_own_label(item, source.name)}
    raise refused(f"the address is not on a device that it could move to {name} from")


def address_to_delete(name: str, address: ip.Item) -> Arguments:
    """With the address as it is there. Raises KernelError."""
    device, holders = find(name), ip.holders_of(address)
    own = [item for index, item in holders if index == device.index]
    others = [rtnetlink.get_link_by_index(index) for index, _ in holders if index != device.index]
    if own and not any(other is not None and _takes_over(device, other) for other in others):
        raise refused(f"the host has the address on {name} only")
    return {"name": name, "address": own[0] if own else address}


def _leads_out_of(source: LinkInfo, bridge: LinkInfo) -> bool:
    """Whether a device is, or could be made, the port that leads out of a bridge; somebody else's bridge with
    addresses of its own stands for other devices already."""
    fits = bridge.kind == "bridge" and is_carrier(source) and source.master in (0, bridge.index)
    return fits and (
        is_ours(bridge)
        or source.master == bridge.index
        or not without(host_addresses(bridge.index), ip.addresses_of(source.index))
    )


def _is_bridge_of(bridge: LinkInfo, port: LinkInfo) -> bool:
    return bridge.kind == "bridge" and port.master == bridge.index and is_carrier(port)


def _takes_over(device: LinkInfo, other: LinkInfo) -> bool:
    """Whether what is taken from a device goes on to work on another: on a port it does not."""
    return _is_bridge_of(other, device) or (device.kind == "bridge" and is_carrier(other) and not other.master)


def route_to_add(name: str, route: ip.Item) -> Arguments:
    """With the route as it is on the port or bridge that it comes from. Raises KernelError."""
    target = find(name)
    for source in _ports_or_bridge(target):
        for item in ip.routes_via(source.index):
            if ip.destination_of(item) == ip.destination_of(route):
                return {"name": name, "route": _ranked(item, route)}
    raise refused(f"the route does not leave by a device that it could move to {name} from")


def _ranked(found: ip.Item, stated: ip.Item) -> ip.Item:
    """What comes from router advertisements makes room for what the kernel makes of them anew."""
    metric = ip.metric_of(stated)
    return ip.with_metric(found, metric) if metric is not None and ip.is_advertised(found) else found


def route_to_delete(name: str, route: ip.Item) -> Arguments:
    """With the route as it is there. Raises KernelError."""
    device = find(name)
    own = [item for item in ip.routes_via(device.index) if ip.destination_of(item) == ip.destination_of(route)]
    own.sort(key=lambda item: ip.metric_of(item) != ip.metric_of(route))
    if own and not _is_elsewhere(own[0], device):
        raise refused(f"the route leaves by {name} only")
    return {"name": name, "route": own[0] if own else route}


def _is_elsewhere(route: ip.Item, device: LinkInfo) -> bool:
    others = [*_ports_or_bridge(device), *_successors(device)]
    found = (item for other in others for item in ip.routes_via(other.index))
    return any(ip.destination_of(item) == ip.destination_of(route) for item in found)


def _ports_or_bridge(device: LinkInfo) -> list[LinkInfo]:
    if device.kind == "bridge":
        return [port for port in rtnetlink.ports_of(device.index) if is_carrier(port)]
    bridge = rtnetlink.get_link_by_index(device.master) if device.master else None
    return [bridge] if bridge is not None and _is_bridge_of(bridge, device) else []


def _successors(bridge: LinkInfo) -> Iterator[LinkInfo]:
    """Devices that have left a bridge with its addresses."""
    if bridge.kind != "bridge":
        return
    indices = {index for address in host_addresses(bridge.index) for index, _ in ip.holders_of(address)}
    for index in indices - {bridge.index}:
        device = rtnetlink.get_link_by_index(index)
        if device is not None and is_carrier(device) and not device.master:
            yield device
