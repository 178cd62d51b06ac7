# SPDX-License-Identifier: Apache-2.0
"""Bridges of a fake host: who may become a port, and what a bridge takes over from its ports."""

from __future__ import annotations

import errno

from os_vif.host.kernel.netlink import KernelError
from os_vif.testing.fake.link import NO_MAC, FakeLink
from os_vif.testing.fake.namespace import FakeNamespace

_DEFAULT_MTU = 1500


def set_master(namespace: FakeNamespace, link: FakeLink, master: str) -> None:
    """Moves a device to a bridge, or, with "", away from it. As in the kernel it leaves before it asks to enter."""
    if link.master == master:
        return
    bridge = namespace.find(master) if master else None
    former, link.master = link.master, ""
    port_left(namespace, former)
    if bridge is None:
        return
    _check_may_enter(namespace, link, bridge)
    link.master = bridge.name
    adjust_mtu(namespace, bridge)
    _adjust_mac(namespace, bridge)


def _check_may_enter(namespace: FakeNamespace, link: FakeLink, bridge: FakeLink) -> None:
    if bridge.kind != "bridge":
        raise KernelError(errno.EOPNOTSUPP, "")
    if link.loopback or link.mac == NO_MAC:
        raise KernelError(errno.EINVAL, "")
    if link.kind == "bridge":
        raise KernelError(errno.ELOOP, "Can not enslave a bridge to a bridge")
    if link.kind == "macvtap" or namespace.on_top_of(link.name, "macvtap"):
        raise KernelError(errno.EBUSY, "")


def port_left(namespace: FakeNamespace, bridge: str) -> None:
    """What a bridge does when it has lost a port."""
    if bridge in namespace.links:
        adjust_mtu(namespace, namespace.links[bridge])
        _adjust_mac(namespace, namespace.links[bridge])


def adjust_mtu(namespace: FakeNamespace, bridge: FakeLink) -> None:
    """A bridge whose MTU nobody chose has the smallest MTU of its ports."""
    if not bridge.mtu_is_set:
        bridge.mtu = min((port.mtu for port in namespace.ports(bridge.name)), default=_DEFAULT_MTU)
        bridge.refresh_protocols()


def _adjust_mac(namespace: FakeNamespace, bridge: FakeLink) -> None:
    if not bridge.mac_is_set:
        bridge.mac = min((port.mac for port in namespace.ports(bridge.name)), default=NO_MAC)
