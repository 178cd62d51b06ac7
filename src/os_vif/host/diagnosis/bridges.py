# SPDX-License-Identifier: Apache-2.0
"""Signs that a Linux bridge does not pass what it should: of the guest's port, of the uplink's, and of the bridge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from os_vif.host.access.host import HostAccess
from os_vif.host.contract.degradation import Code, Degradation
from os_vif.host.kernel.bridge_ports import BridgePort, PortVlans
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import Bridge, Link, Resource


def look(host: HostAccess, resources: Sequence[Resource]) -> Iterator[Degradation]:
    """Of every port that is in the bridge stated for it. That another one is not differs, and is told elsewhere."""
    ours = {resource.name for resource in resources if isinstance(resource, Bridge)}
    for bridge, port, resource in ports(host, resources):
        if not bridge.up and bridge.name not in ours:
            yield _bridge_down(bridge)
        yield from _of_uplink(host, port, bridge) if resource.shared else _of_guest(host, port, bridge)


def ports(host: HostAccess, resources: Sequence[Resource]) -> Iterator[tuple[LinkInfo, LinkInfo, Link]]:
    """The bridge and the port of every device that is stated to be in a bridge, and is."""
    for resource in resources:
        if isinstance(resource, Link) and resource.master:
            port, bridge = host.get_link(resource.name), host.get_link(resource.master)
            if port and bridge and port.master == bridge.index and bridge.kind == "bridge":
                yield bridge, port, resource


def _bridge_down(bridge: LinkInfo) -> Degradation:
    text = f"Bridge {bridge.name}, which os-vif did not make, is down: it passes nothing."
    return Degradation(Code.BRIDGE_DOWN, bridge.name, text, f"`ip link set {bridge.name} up`, or ask who took it down.")


def _of_uplink(host: HostAccess, port: LinkInfo, bridge: LinkInfo) -> Iterator[Degradation]:
    parent = host.get_link_by_index(port.parent) if port.kind == "vlan" and not port.parent_elsewhere else None
    if parent is not None and not parent.up:
        text = f"{parent.name} is down: {port.name}, which leads bridge {bridge.name} out, gets nothing through it."
        yield Degradation(Code.PARENT_DOWN, parent.name, text, f"`ip link set {parent.name} up`.")
    elif port.up and not port.carrier:
        text = f"{port.name}, which leads bridge {bridge.name} out, has no carrier."
        hint = "Look at its cable, at the port of the switch it is plugged into, or at its other end."
        yield Degradation(Code.NO_CARRIER, port.name, text, hint)
    else:
        yield from _of_state(host.bridge_port(port.index), port, bridge)


def _of_guest(host: HostAccess, port: LinkInfo, bridge: LinkInfo) -> Iterator[Degradation]:
    settings = host.bridge_port(port.index)
    yield from _of_state(settings, port, bridge)
    if settings is not None:
        yield from _of_settings(settings, port, bridge)
    vlans = host.bridge_vlans(bridge.index)
    if vlans is not None:
        yield from _of_vlans(vlans, port, bridge)


def _of_state(settings: BridgePort | None, port: LinkInfo, bridge: LinkInfo) -> Iterator[Degradation]:
    """Without carrier the kernel disables a port by itself: nobody has a tap open before its guest starts."""
    if settings is None or settings.state == "forwarding" or not (port.up and port.carrier and bridge.up):
        return
    text = f"Port {port.name} of bridge {bridge.name} is {settings.state}: it passes nothing."
    hint = "The spanning tree made it so, or somebody by hand: `bridge link`, `ip -d link show` tell more."
    yield Degradation(Code.PORT_STATE, port.name, text, hint)


def _of_settings(settings: BridgePort, port: LinkInfo, bridge: LinkInfo) -> Iterator[Degradation]:
    what = f"Port {port.name} of bridge {bridge.name}"
    if settings.isolated:
        text = f"{what} is isolated: it reaches no other port that is."
        yield _settable(Code.PORT_ISOLATED, port, text, "isolated off")
    if settings.locked:
        text = f"{what} is locked: it passes only what comes from addresses that somebody entered for it."
        yield _settable(Code.PORT_LOCKED, port, text, "locked off")
    if not settings.broadcast_flood:
        text = f"{what} gets no broadcasts: nobody finds the guest by ARP."
        yield _settable(Code.PORT_NOT_FLOODED, port, text, "bcast_flood on")
    if not (settings.unicast_flood or settings.learning):
        text = f"{what} neither learns addresses nor is flooded: it gets only what somebody entered for it."
        yield _settable(Code.PORT_NOT_FLOODED, port, text, "learning on flood on")


def _settable(code: str, port: LinkInfo, text: str, setting: str) -> Degradation:
    return Degradation(code, port.name, text, f"`bridge link set dev {port.name} {setting}`, unless it is meant.")


def _of_vlans(vlans: Mapping[int, PortVlans], port: LinkInfo, bridge: LinkInfo) -> Iterator[Degradation]:
    mine = vlans.get(port.index, PortVlans())
    others = [of for index, of in vlans.items() if index != port.index]
    what = f"Bridge {bridge.name} filters VLANs"
    if not mine.untagged:
        text = f"{what}, and port {port.name} has none for what comes untagged: the guest's frames are dropped."
    elif not any(mine.untagged in of.vlans for of in others):
        text = f"{what}, and nobody but port {port.name} is in VLAN {mine.untagged}: it reaches no other port."
    else:
        return
    hint = f"`bridge vlan add dev {port.name} vid VLAN pvid untagged`, with the VLAN that its network has there."
    yield Degradation(Code.VLAN_FILTERED, port.name, text, hint)
