# SPDX-License-Identifier: Apache-2.0
"""How devices of a fake host come into being and go away, with the refusals of the kernel."""

from __future__ import annotations

import errno
import secrets
from typing import Any

from os_vif.host.access.kernel_operations import device_name, new_device_name
from os_vif.host.kernel.netlink import KernelError
from os_vif.host.state.mark_form import DEVICE_GROUP, proves_ownership
from os_vif.testing.fake import bridging
from os_vif.testing.fake.link import FakeLink, new_link
from os_vif.testing.fake.namespace import FakeNamespace
from os_vif.testing.fake.settings import check_mac, check_mtu, set_options

_MACVTAP_MODES = ("bridge", "passthru", "private", "vepa")
_KINDS = ("bridge", "macvtap", "veth", "vlan")
_LARGEST_VLAN_ID = 4094


def link_add(
    namespace: FakeNamespace,
    name: str,
    kind: str,
    parent: str | None = None,
    peer: str | None = None,
    mtu: int | None = None,
    mac: str | None = None,
    options: dict[str, Any] | None = None,
) -> None:
    """Operation "link.add"."""
    below = namespace.find(parent) if parent is not None else None
    if peer is not None:
        new_device_name(peer)
    _check_options(kind, options or {})
    _validate(kind, mac, mtu)
    if new_device_name(name) in namespace.links:
        raise KernelError(errno.EEXIST, "")
    if kind not in _KINDS or kind in namespace.without:
        raise KernelError(errno.EOPNOTSUPP, "Unknown device type")
    link = new_link(name, namespace.next_index(), kind, mac=mac or _random_mac(), group=DEVICE_GROUP)
    link.mac_is_set, link.mac_is_random = True, mac is None
    _take_after(namespace, link, below, options or {}, mtu)
    if mtu is not None:
        check_mtu(link, mtu)
        link.mtu = mtu
    link.refresh_protocols()
    if kind == "bridge":
        set_options(link, options or {})
    if kind == "veth":
        _add_peer(namespace, link, peer)
    namespace.add(link)


def _validate(kind: str, mac: str | None, mtu: int | None) -> None:
    """What the kernel looks at before it looks whether the name is free."""
    if mac is not None and kind in _KINDS:
        check_mac(mac)
    if mtu is not None and kind == "veth":
        check_mtu(new_link("", 0, kind), mtu)


def _check_options(kind: str, options: dict[str, Any]) -> None:
    if "mode" in options and options["mode"] not in _MACVTAP_MODES:
        raise ValueError(f"{options['mode']!r} is not a mode of macvtap")
    known = {"bridge": ("ageing_time", "forward_delay", "mcast_snooping", "stp"), "vlan": ("vlan_id",)}
    for name in options:
        if name not in known.get(kind, ("mode",)):
            raise KeyError(name)


def _take_after(
    namespace: FakeNamespace, link: FakeLink, parent: FakeLink | None, options: dict[str, Any], mtu: int | None
) -> None:
    """What devices on top of others inherit from them, and what these refuse."""
    if link.kind not in ("macvtap", "vlan"):
        return
    if parent is None or parent.loopback:
        raise KernelError(errno.EINVAL, "")
    if mtu is not None and mtu > parent.mtu:
        raise KernelError(errno.EINVAL if link.kind == "macvtap" else errno.ERANGE, "")
    link.parent, link.mtu = parent.name, parent.mtu
    if link.kind == "vlan":
        _become_vlan(namespace, link, parent, options)
    else:
        _become_macvtap(namespace, link, parent, options)


def _become_vlan(namespace: FakeNamespace, link: FakeLink, parent: FakeLink, options: dict[str, Any]) -> None:
    vlan_id = options.get("vlan_id")
    if vlan_id is None:
        raise KernelError(errno.EINVAL, "VLAN properties not specified")
    if vlan_id > _LARGEST_VLAN_ID:
        raise KernelError(errno.ERANGE, "Invalid VLAN id")
    if any(other.options["vlan_id"] == vlan_id for other in namespace.on_top_of(parent.name, "vlan")):
        raise KernelError(errno.EEXIST, "VLAN device already exists")
    link.options["vlan_id"] = vlan_id
    if link.mac_is_random:
        link.mac, link.mac_is_random = parent.mac, parent.mac_is_random


def _become_macvtap(namespace: FakeNamespace, link: FakeLink, parent: FakeLink, options: dict[str, Any]) -> None:
    if parent.kind == "macvtap":
        parent = namespace.find(parent.parent)
        link.parent = parent.name
    others = namespace.on_top_of(parent.name, "macvtap")
    if parent.master:
        raise KernelError(errno.EBUSY, "")
    link.options |= options
    alone = "passthru" in (link.options["mode"], *(other.options["mode"] for other in others))
    if others and alone:
        raise KernelError(errno.EINVAL, "")
    if alone:
        link.mac, link.mac_is_random = parent.mac, parent.mac_is_random


def _add_peer(namespace: FakeNamespace, link: FakeLink, peer: str | None) -> None:
    name = peer or f"veth{namespace.next_index()}"
    if name in namespace.links or name == link.name:
        raise KernelError(errno.EEXIST, "")
    other = new_link(name, namespace.next_index(), "veth", mac=_random_mac(), group=DEVICE_GROUP if peer else 0)
    other.mac_is_set, other.mac_is_random = True, True
    link.peer, other.peer = other.name, link.name
    namespace.add(other)


def tap_add(
    namespace: FakeNamespace,
    name: str,
    mac: str | None = None,
    mtu: int | None = None,
    multi_queue: bool = False,  # noqa: FBT001, FBT002 - arguments of operations come by name
    owner: int | None = None,
    group: int | None = None,
) -> None:
    """Operation "tap.add"."""
    if new_device_name(name) in namespace.links:
        raise KernelError(errno.EEXIST, f"a tap named {name} exists already")
    options: dict[str, Any] = {"type": 2, "persist": 1, "multi_queue": int(multi_queue)}
    options |= {key: value for key, value in (("owner", owner), ("group", group)) if value is not None}
    link = new_link(name, namespace.next_index(), "tun", mac=_random_mac(), group=DEVICE_GROUP, options=options)
    if mac is not None:
        check_mac(mac)
        link.mac = mac
    link.mac_is_set, link.mac_is_random = True, mac is None
    if mtu is not None:
        check_mtu(link, mtu)
        link.mtu = mtu
    link.refresh_protocols()
    namespace.add(link)


def link_delete(namespace: FakeNamespace, name: str, index: int | None = None) -> None:
    """Operation "link.delete": only of what bears our mark, and not of what took the place of what was meant."""
    link = namespace.links.get(device_name(name))
    if link is None or (index is not None and link.index != index):
        return
    if not proves_ownership(link.group, link.alias):
        raise KernelError(errno.EPERM, f"{name} is not marked as made by os-vif")
    vanish(namespace, link)


def vanish(namespace: FakeNamespace, link: FakeLink) -> None:
    """Takes a device away, and all that cannot be without it; ports of a bridge stay."""
    namespace.links.pop(link.name, None)
    for port in namespace.ports(link.name):
        port.master = ""
    for above in namespace.on_top_of(link.name):
        vanish(namespace, above)
    if link.peer in namespace.links:
        vanish(namespace, namespace.links[link.peer])
    bridging.port_left(namespace, link.master)


def _random_mac() -> str:
    return "52:54:01:" + secrets.token_bytes(3).hex(":")
