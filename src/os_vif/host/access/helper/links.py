# SPDX-License-Identifier: Apache-2.0
"""Which devices the privileged helper changes for its caller, and how.

Devices of ours bear our mark. Of others', some may become ports of a bridge or carry devices of ours: of those it is
changed that they are up, which bridge they are in, and their MTU, as long as the host itself stays reachable by them.
"""

from __future__ import annotations

import errno
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from os_vif.host.access.helper import form as helper_form
from os_vif.host.kernel import addresses as kernel_addresses
from os_vif.host.kernel import rtnetlink, sysctl
from os_vif.host.kernel.netlink import KernelError
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import NO_HOST_IP, mark_form

#: Devices that may lead a bridge out, or carry others: "" is the kernel's for those of real hardware.
_CARRIERS = frozenset(("", "vlan", "bond", "team", "veth", "dummy"))

#: What Nova has had earlier os-vif make, which marked nothing, by kind: it is ours once it is marked.
_FORMERLY_OURS = {
    "bridge": re.compile(r"qbr[0-9a-f]{8}-[0-9a-f]{2}"),
    "veth": re.compile(r"qv[bo][0-9a-f]{8}-[0-9a-f]{2}"),
    "tun": re.compile(r"(?:tap|nic)[0-9a-f]{8}-[0-9a-f]{2}"),
}
_REPRESENTOR = re.compile(r"(?:c\d+)?pf\d+(?:vf|sf)\d+")
_SYSFS = Path("/sys/class/net")

#: Kernel's Documentation/networking/ip-sysctl.rst. Of these keys any value that there is does no harm to a host
#: that has no address on the device.
_OWN_VALUES: Mapping[str, re.Pattern[str]] = {
    "ipv6/disable_ipv6": re.compile("[01]"),
    "ipv6/addr_gen_mode": re.compile("[0-3]"),
    "ipv4/arp_ignore": re.compile("[0-8]"),
    "ipv4/arp_announce": re.compile("[0-2]"),
}
_DISABLE_IPV6 = "ipv6/disable_ipv6"

#: Index of a device, index of its bridge: ports that this process has made of others' devices.
_joined: set[tuple[int, int]] = set()


class _Seen(threading.local):
    """Devices that bear our mark, as seen during this run: what is made is then set in a dozen operations."""

    def __init__(self) -> None:
        self.marked: dict[str, LinkInfo] = {}


_seen = _Seen()


def forget() -> None:
    """Each run looks for itself."""
    _seen.marked.clear()


def refused(reason: str) -> KernelError:
    """What the kernel would say, had it our rules."""
    return KernelError(errno.EPERM, f"not for the privileged helper to do: {reason}")


def find(name: str) -> LinkInfo:
    """The device of that name. Raises KernelError."""
    link = rtnetlink.get_link(name)
    if link is None:
        raise KernelError(errno.ENODEV, f"device {name} does not exist")
    return link


def _find_seen(name: str) -> LinkInfo | None:
    """Of a device of ours no more than kind and index counts. It is still that one as long as it has its index."""
    known = _seen.marked.get(name)
    if known is not None and rtnetlink.index_of(name) == known.index:
        return known
    link = rtnetlink.get_link(name)
    if link is not None and link.kind != "vlan" and is_marked(link):
        _seen.marked[name] = link
    return link


def is_marked(link: LinkInfo) -> bool:
    """Whether os-vif has made it."""
    return mark_form.proves_ownership(link.group, link.alias)


def is_ours(link: LinkInfo) -> bool:
    """Whether os-vif has made it, or an earlier one, which left no marks."""
    return is_marked(link) or _is_formerly_ours(link)


def _is_formerly_ours(link: LinkInfo) -> bool:
    form = _FORMERLY_OURS.get(link.kind)
    named = form is not None and form.fullmatch(link.name) is not None
    return named and not link.group and (not link.alias or mark_form.FORM.fullmatch(link.alias) is not None)


def is_carrier(link: LinkInfo) -> bool:
    """Whether it could lead a bridge out, or have a VLAN or macvtap device on top: an Ethernet device of the host."""
    return link.kind in _CARRIERS and bool(link.mac.strip("0:"))


def host_addresses(index: int) -> list[kernel_addresses.Item]:
    """The addresses of the host there, but for those that every device has."""
    return [address for address in kernel_addresses.addresses_of(index) if not kernel_addresses.is_link_local(address)]


def without(there: list[kernel_addresses.Item], here: list[kernel_addresses.Item]) -> list[kernel_addresses.Item]:
    """The addresses ``there`` that are not ``here`` too."""
    known = [kernel_addresses.identity_of(address) for address in here]
    return [address for address in there if kernel_addresses.identity_of(address) not in known]


def check_add(
    name: str, kind: str, parent: str = "", peer: str = "", options: Mapping[str, Any] | None = None, **_: Any
) -> None:
    """Kinds and options from a closed list, on top of a device that may carry others."""
    if not helper_form.are_options(kind, options or {}):
        raise ValueError(f"a {kind} cannot have {options!r:.80}")
    if bool(peer) != (kind == "veth") or bool(parent) != (kind in ("vlan", "macvtap")):
        raise ValueError(f"a {kind} of that form is not made by os-vif")
    below = find(parent) if parent else None
    if below is None or is_marked(below):
        return
    if not is_carrier(below) and below.kind != "bridge":
        raise refused(f"{parent} is no device to make others on")
    if (options or {}).get("mode") == "passthru" and host_addresses(below.index):
        raise refused(f"{parent} has addresses of the host, and {name} would take all that arrives there")


def check_set(name: str, **values: Any) -> None:
    """All that there is of devices of ours; of others' what is needed for traffic to flow."""
    link = _find_seen(name)
    if link is None:
        raise KernelError(errno.ENODEV, f"device {name} does not exist")
    if is_ours(link):
        _check_own(link, **values)
    else:
        _check_foreign(link, **values)


def _check_own(
    link: LinkInfo,
    *,
    kind: str = "",
    options: Mapping[str, Any] | None = None,
    master: str | None = None,
    up: bool | None = None,
    **_: Any,
) -> None:
    if options is not None and not (kind == link.kind == "bridge" and helper_form.are_options(kind, options)):
        raise ValueError(f"{link.name} is a {link.kind}, which cannot be given {options!r:.80}")
    if up is False:
        _check_needless(link)
    if master is None:
        return
    if master and find(master).kind != "bridge":
        raise refused(f"{master} is not a bridge")
    if link.kind == "vlan":
        _check_port(link, master)


def _check_foreign(
    link: LinkInfo, *, master: str | None = None, up: bool | None = None, mtu: int | None = None, **others: Any
) -> None:
    if others:
        raise refused(f"{link.name} was not made by os-vif, and its {', '.join(sorted(others))} is not to be changed")
    if link.kind != "bridge" and not is_carrier(link):
        raise refused(f"{link.name} was not made by os-vif, and cannot be a port of its bridges")
    if master is not None:
        _check_joinable(link, master)
        _check_port(link, master)
    if mtu is not None:
        _check_mtu(link)
    if up is False:
        _check_idle(link)
    if master:
        _joined.add((link.index, find(master).index))


def _check_joinable(link: LinkInfo, master: str) -> None:
    if link.kind == "bridge":
        raise refused(f"{link.name} is a bridge itself")
    if link.master and not master:
        bridge = rtnetlink.get_link_by_index(link.master)
        ours = bridge is not None and bridge.kind == "bridge" and is_ours(bridge)
        if not ours and (link.index, link.master) not in _joined:
            raise refused(f"somebody else has made {link.name} a port of {bridge.name if bridge else 'another device'}")
    elif master:
        bridge = find(master)
        if bridge.kind != "bridge":
            raise refused(f"{master} is not a bridge")
        if link.master not in (0, bridge.index):
            raise refused(f"{link.name} is a port of another device already")
        if not is_ours(bridge) and without(host_addresses(bridge.index), kernel_addresses.addresses_of(link.index)):
            raise refused(f"{master} was not made by os-vif, and has addresses of the host")


def _check_port(link: LinkInfo, master: str) -> None:
    """The addresses of the host are on the bridge before a device becomes a port, and on the device before it leaves.

    Also where they are reached by it only, without being there.
    """
    if master:
        bridge = find(master)
        if link.master != bridge.index:
            _check_present(host_addresses(link.index), link.name, bridge)
        return
    left = rtnetlink.get_link_by_index(link.master) if link.master else None
    if left is not None:
        _check_present(host_addresses(left.index), left.name, link)


def _check_present(addresses: list[kernel_addresses.Item], here: str, there: LinkInfo) -> None:
    for address in without(addresses, kernel_addresses.addresses_of(there.index) if addresses else []):
        raise refused(f"address {address['shown']} of the host is on {here}, and not on {there.name}")


def _check_mtu(link: LinkInfo) -> None:
    """That of a port of a bridge of ours, or of what is about to be one, or stands for a guest's own function."""
    bridge = rtnetlink.get_link_by_index(link.master) if link.master else None
    if is_representor(link) or (bridge is not None and bridge.kind == "bridge" and is_ours(bridge)):
        return
    if bridge is not None and (link.index, bridge.index) not in _joined:
        raise refused(f"{link.name} is a port of {bridge.name}, which os-vif did not make")
    for address in host_addresses(link.index):
        if not _is_elsewhere(address, link):
            raise refused(f"{link.name} was not made by os-vif, and has address {address['shown']} of the host")


def _is_elsewhere(address: kernel_addresses.Item, link: LinkInfo) -> bool:
    """Whether it has arrived on a bridge already."""
    devices = (rtnetlink.get_link_by_index(index) for index, _ in kernel_addresses.holders_of(address))
    return any(device is not None and device.index != link.index and device.kind == "bridge" for device in devices)


def _check_idle(link: LinkInfo) -> None:
    """A device that is taken down is used by nobody; a port only if it is ours to say."""
    _check_needless(link)
    bridge = rtnetlink.get_link_by_index(link.master) if link.master else None
    if bridge is not None and not is_representor(link) and (link.index, bridge.index) not in _joined:
        ours = bridge.kind == "bridge" and is_ours(bridge)
        if not ours or host_addresses(bridge.index):
            raise refused(f"{link.name} is a port of {bridge.name}")
    if kernel_addresses.routes_via(link.index):
        raise refused(f"routes of the host leave by {link.name}")
    for other in rtnetlink.all_links():
        on_top = other.parent == link.index and other.kind != "veth" and not other.parent_elsewhere
        if (on_top or other.master == link.index) and not is_ours(other):
            raise refused(f"{other.name} needs {link.name}")


def _check_needless(link: LinkInfo) -> None:
    if link.kind in ("bridge", *_CARRIERS):
        for address in host_addresses(link.index):
            raise refused(f"{link.name} has address {address['shown']} of the host")


def is_representor(link: LinkInfo) -> bool:
    """Whether it stands for a virtual function, which is a guest's (Documentation/networking/representors.rst)."""
    try:
        name = (_SYSFS / link.name / "phys_port_name").read_text(errors="replace").strip()
        return bool(_REPRESENTOR.fullmatch(name)) and bool(
            (_SYSFS / link.name / "phys_switch_id").read_text(errors="replace").strip()
        )
    except OSError:
        return False


def check_delete(name: str, index: int = 0) -> None:
    """What the host has addresses on stays; whether it is ours is looked at where it is deleted."""
    link = rtnetlink.get_link(name)
    if link is not None and index in (0, link.index) and link.kind in ("bridge", "vlan"):
        _check_needless(link)


def check_rename(name: str, **_: Any) -> None:
    """What os-vif has made, and has no address of the host: rules of others' go by the names of such."""
    link = find(name)
    if not is_marked(link):
        raise refused(f"{name} was not made by os-vif")
    _check_needless(link)


def check_sysctl(name: str, family: str, key: str, value: str, like: str = "") -> None:
    """Whether the host has IP on a device: of ours, of one that stands for a guest's, of a port.

    What else there is to say of a bridge with the host's addresses it says as the interface does that had them.
    """
    sysctl.check_writable(family, key)
    link, setting = _find_seen(name), f"{family}/{key}"
    if link is None:
        return  # it has no settings either
    if setting == _DISABLE_IPV6 and value != "0":
        for address in host_addresses(link.index):
            if ":" in address["shown"]:
                raise refused(f"{name} has address {address['shown']} of the host")
    if is_ours(link):
        if not _is_own_value(setting, value) and value not in _models(family, key, like):
            raise refused(f"no interface that {name} could stand for has {setting} {value!r:.40}")
    elif not (setting in NO_HOST_IP and _is_own_value(setting, value) and is_representor(link)):
        _check_ports_ipv6(link, setting, value)


def _is_own_value(setting: str, value: str) -> bool:
    form = _OWN_VALUES.get(setting)
    return form is not None and form.fullmatch(value) is not None


def _models(family: str, key: str, like: str) -> list[str | None]:
    model = find(like) if like else None
    found = [sysctl.read("default", family, key)]
    return [*found, sysctl.read(like, family, key)] if model is not None and is_carrier(model) else found


def _check_ports_ipv6(link: LinkInfo, setting: str, value: str) -> None:
    """A port has no IP of its own, as the bridge has it."""
    bridge = rtnetlink.get_link_by_index(link.master) if link.master else None
    is_port = is_carrier(link) and bridge is not None and bridge.kind == "bridge"
    if not is_port or setting != _DISABLE_IPV6 or value not in ("0", "1"):
        raise refused(f"{link.name} was not made by os-vif, and its {setting} is not to be changed")
