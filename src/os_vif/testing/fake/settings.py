# SPDX-License-Identifier: Apache-2.0
"""Setting attributes of devices of a fake host, with the refusals of the kernel."""

from __future__ import annotations

import errno
import re
from typing import Any

from os_vif.host.access.kernel_operations import device_name, new_device_name
from os_vif.host.kernel.netlink import KernelError
from os_vif.host.kernel.sysctl import check_writable
from os_vif.testing.fake import addresses, bridging
from os_vif.testing.fake.link import NO_MAC, FakeLink
from os_vif.testing.fake.namespace import FakeNamespace

_MAC = re.compile(r"^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$")
_LONGEST_ALIAS = 255
_FORWARD_DELAYS = (200, 3000)


def link_rename(
    namespace: FakeNamespace,
    name: str,
    to: str,
    index: int,
    interrupt: bool = False,  # noqa: FBT001, FBT002 - arguments of operations come by name
) -> None:
    """Operation "link.rename", of a kernel that renames what is up."""
    link = namespace.find(name)
    if link.index != index:
        raise KernelError(errno.ENODEV, f"device {name} does not exist")
    if new_device_name(to) in namespace.links:
        raise KernelError(errno.EEXIST, "File exists")
    link.name = to
    namespace.links[to] = namespace.links.pop(name)
    for other in namespace.links.values():
        for relation in ("master", "parent", "peer"):
            if getattr(other, relation) == name:
                setattr(other, relation, to)


def link_set(
    namespace: FakeNamespace,
    name: str,
    master: str | None = None,
    kind: str = "",
    mtu: int | None = None,
    mac: str | None = None,
    up: bool | None = None,  # noqa: FBT001 - arguments of operations come by name
    promiscuous: bool | None = None,  # noqa: FBT001
    alias: str | None = None,
    group: int | None = None,
    options: dict[str, Any] | None = None,
) -> None:
    """Operation "link.set". The kernel takes the attributes in this order, and stops at the first it refuses."""
    if master:
        namespace.find(master)
    device_name(name)
    if mac is not None and not _MAC.match(mac):
        raise ValueError(f"{mac!r} is not a MAC address")
    if alias is not None and len(alias.encode()) > _LONGEST_ALIAS:
        raise KernelError(errno.ERANGE, "Attribute failed policy validation")
    link = namespace.find(name)
    if options:
        _change_options(link, kind, options)
    if mac is not None:
        _set_mac(namespace, link, mac)
    if mtu is not None:
        set_mtu(namespace, link, mtu)
    if group is not None:
        link.group = group
    if alias is not None:
        link.alias = alias
    if master is not None:
        bridging.set_master(namespace, link, master)
    if promiscuous is not None:
        link.promiscuous = promiscuous
    if up is not None:
        _set_up(namespace, link, "up" if up else "down")


def _change_options(link: FakeLink, kind: str, options: dict[str, Any]) -> None:
    if kind != link.kind:
        raise KernelError(errno.EOPNOTSUPP, "")
    set_options(link, options)


def set_options(link: FakeLink, options: dict[str, Any]) -> None:
    """Options of a bridge; those of other kinds are only given at attributes."""
    if "forward_delay" in options:
        shortest, longest = _FORWARD_DELAYS
        if link.options["stp"] and not shortest <= options["forward_delay"] <= longest:
            raise KernelError(errno.ERANGE, "")
        link.options["forward_delay"] = options["forward_delay"]
    link.options |= {name: value for name, value in options.items() if name != "forward_delay"}
    if link.options.get("stp"):
        shortest, longest = _FORWARD_DELAYS
        link.options["forward_delay"] = min(max(link.options["forward_delay"], shortest), longest)


def check_mac(mac: str) -> None:
    """Raises KernelError for an address that no device can have, ValueError for what is none."""
    if not _MAC.match(mac):
        raise ValueError(f"{mac!r} is not a MAC address")
    if int(mac[:2], 16) & 1 or mac == NO_MAC:
        raise KernelError(errno.EADDRNOTAVAIL, "")


def _set_mac(namespace: FakeNamespace, link: FakeLink, mac: str) -> None:
    check_mac(mac)
    if link.kind == "macvtap" and link.up and mac != link.mac:
        _check_mac_is_free(namespace, link, mac)
    link.mac, link.mac_is_set, link.mac_is_random = mac, True, False
    if link.master:
        bridging.port_left(namespace, link.master)


def _check_mac_is_free(namespace: FakeNamespace, link: FakeLink, mac: str) -> None:
    """Macvtaps that are up, and the device below them, must differ in their addresses; "passthru" shares it."""
    if link.options["mode"] == "passthru":
        return
    siblings = [other for other in namespace.on_top_of(link.parent, "macvtap") if other.up and other is not link]
    if mac in (namespace.links[link.parent].mac, *(other.mac for other in siblings)):
        raise KernelError(errno.EADDRINUSE, "")


def check_mtu(link: FakeLink, mtu: int) -> None:
    """Raises KernelError for an MTU that the kind of device cannot have."""
    smallest, largest = link.mtu_limits()
    if mtu < smallest:
        raise KernelError(errno.EINVAL, "mtu less than device minimum")
    if mtu > largest:
        raise KernelError(errno.EINVAL, "mtu greater than device maximum")


def set_mtu(namespace: FakeNamespace, link: FakeLink, mtu: int) -> None:
    """Sets an MTU, and what follows from it for the devices above and for the bridge."""
    if mtu == link.mtu:
        return
    check_mtu(link, mtu)
    if link.parent and mtu > namespace.links[link.parent].mtu:
        raise KernelError(errno.EINVAL if link.kind == "macvtap" else errno.ERANGE, "")
    link.mtu = mtu
    link.mtu_is_set = link.kind == "bridge"
    link.refresh_protocols()
    for above in namespace.on_top_of(link.name):
        if above.mtu > mtu:
            set_mtu(namespace, above, mtu)
    if link.master:
        bridging.adjust_mtu(namespace, namespace.links[link.master])


def _set_up(namespace: FakeNamespace, link: FakeLink, wanted: str) -> None:
    if (wanted == "up") == link.up:
        return
    if wanted == "up":
        _check_may_go_up(namespace, link)
    link.up = wanted == "up"
    if link.up:
        addresses.link_up(link)
    else:
        addresses.link_down(link)
        for above in namespace.on_top_of(link.name, "vlan"):
            _set_up(namespace, above, "down")


def _check_may_go_up(namespace: FakeNamespace, link: FakeLink) -> None:
    if link.kind == "vlan" and not namespace.links[link.parent].up:
        raise KernelError(errno.ENETDOWN, "")
    if link.kind == "macvtap":
        _check_mac_is_free(namespace, link, link.mac)


def sysctl_set(namespace: FakeNamespace, name: str, family: str, key: str, value: str, like: str = "") -> None:
    """Operation "sysctl.set": what the device does not have is passed over, as on the real host."""
    check_writable(family, key)
    link = namespace.links.get(device_name(name))
    if link is None or f"{family}/{key}" not in link.sysctls:
        return
    if not re.match(r"^-?[0-9]+$", value):
        raise KernelError(errno.EINVAL, "")
    link.sysctls[f"{family}/{key}"] = value
    if (family, key) == ("ipv6", "disable_ipv6") and int(value):
        addresses.ipv6_off(link)
