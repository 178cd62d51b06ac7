# SPDX-License-Identifier: Apache-2.0
"""What plugging needs to know of, and to do to, network devices, over rtnetlink.

Numbers and layouts are from the kernel's uapi headers linux/if_link.h and linux/rtnetlink.h. Links are asked for by
name; lists are filtered by the kernel. Only garbage collection lists everything.
"""

from __future__ import annotations

import errno
import secrets
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from os_vif.host.kernel.netlink import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_EXCL,
    KernelError,
    Layout,
    attribute,
    attributes,
    conversation,
    cut_short,
    from_u32,
    nested,
    text,
    u32,
)
from os_vif.host.state.mark_form import deletion_group

_RTM_NEWLINK, _RTM_DELLINK, _RTM_GETLINK = 16, 17, 18

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_MASTER = 1, 3, 4, 5, 10
_IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_GROUP, _IFLA_NET_NS_FD, _IFLA_EXT_MASK = 18, 20, 27, 28, 29
_IFLA_CARRIER, _IFLA_LINK_NETNSID = 33, 37
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_SKIP_STATISTICS = 8

_IFF_UP, _IFF_PROMISC = 0x1, 0x100

_LINK = Layout("=BxHiII")

_VETH_INFO_PEER = 1
_MACVTAP_MODES = {1: "private", 2: "vepa", 4: "bridge", 8: "passthru"}

#: Per kind of device: option → (IFLA_* number below IFLA_INFO_DATA, struct code).
_OPTIONS: dict[str, dict[str, tuple[int, str]]] = {
    "bridge": {
        "forward_delay": (1, "I"),
        "ageing_time": (4, "I"),
        "stp": (5, "I"),
        "mcast_snooping": (23, "B"),
    },
    "vlan": {"vlan_id": (1, "H")},
    "macvtap": {"mode": (1, "I")},
    "tun": {"owner": (1, "I"), "group": (2, "I"), "type": (3, "B"), "persist": (6, "B"), "multi_queue": (7, "B")},
}


@dataclass(frozen=True)
class LinkInfo:
    """A network device as the kernel describes it. ``options`` holds what is particular to its kind.

    ``carrier``: of a tap, whether a process has it open, up or not. ``parent_elsewhere``: ``parent`` is the index of a
    device of another network namespace.
    """

    index: int
    name: str
    kind: str = ""
    mtu: int = 0
    mac: str = ""
    up: bool = False
    promiscuous: bool = False
    master: int = 0
    parent: int = 0
    group: int = 0
    alias: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    carrier: bool = False
    parent_elsewhere: bool = False


def index_of(name: str) -> int:
    """The index of a device, 0 when there is none.

    Cheaper than get_link(), and it does not wait for whoever is changing some device now (rtnl_lock).
    """
    try:
        return socket.if_nametoindex(name)
    except OSError:
        return 0


def get_link(name: str) -> LinkInfo | None:
    """The device of that name in this thread's namespace, or None."""
    return _one_link(0, text(_IFLA_IFNAME, name))


def get_link_by_index(index: int) -> LinkInfo | None:
    """The device of that index in this thread's namespace, or None."""
    return _one_link(index, b"")


def _one_link(index: int, which: bytes) -> LinkInfo | None:
    body = _LINK.pack(0, 0, index, 0, 0) + which + u32(_IFLA_EXT_MASK, _SKIP_STATISTICS)
    try:
        return _parse_link(conversation().ask(_RTM_GETLINK, body)[0])
    except KernelError as error:
        if error.errno in (errno.ENODEV, errno.ENOENT):
            return None
        raise


def ports_of(master: int) -> list[LinkInfo]:
    """The devices whose master has that index."""
    return _links(u32(_IFLA_MASTER, master))


def all_links() -> list[LinkInfo]:
    """Every device of the namespace; for garbage collection only, it is slow on a large host."""
    return _links(b"")


def _links(which: bytes) -> list[LinkInfo]:
    body = _LINK.pack(0, 0, 0, 0, 0) + which + u32(_IFLA_EXT_MASK, _SKIP_STATISTICS)
    return [_parse_link(answer) for answer in conversation().ask(_RTM_GETLINK, body, NLM_F_DUMP)]


def _parse_link(data: bytes) -> LinkInfo:
    _family, _type, index, flags, _change = _LINK.unpack_from(data)
    found = dict(attributes(data, _LINK.size))
    kind, options = _parse_kind(found.get(_IFLA_LINKINFO, b""))
    return LinkInfo(
        index=index,
        name=_name(found),
        kind=kind,
        mtu=_number(found.get(_IFLA_MTU)),
        mac=found.get(_IFLA_ADDRESS, b"").hex(":"),
        up=bool(flags & _IFF_UP),
        promiscuous=bool(flags & _IFF_PROMISC),
        master=_number(found.get(_IFLA_MASTER)),
        parent=_number(found.get(_IFLA_LINK)),
        group=_number(found.get(_IFLA_GROUP)),
        alias=_text(found.get(_IFLA_IFALIAS, b"")),
        options=options,
        carrier=found.get(_IFLA_CARRIER, b"")[:1] == b"\x01",
        parent_elsewhere=_IFLA_LINK_NETNSID in found,
    )


def _parse_kind(data: bytes) -> tuple[str, dict[str, Any]]:
    found = dict(attributes(data))
    kind = _text(found.get(_IFLA_INFO_KIND, b""))
    values = dict(attributes(found.get(_IFLA_INFO_DATA, b"")))
    options = {
        name: Layout("=" + code).unpack_from(values[number])[0]
        for name, (number, code) in _OPTIONS.get(kind, {}).items()
        if number in values
    }
    if "mode" in options:
        options["mode"] = _MACVTAP_MODES.get(options["mode"], str(options["mode"]))
    return kind, options


def _name(found: dict[int, bytes]) -> str:
    if _IFLA_IFNAME not in found:
        raise cut_short()
    return _text(found[_IFLA_IFNAME])


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode(errors="replace")


def _number(value: bytes | None) -> int:
    return from_u32(value) if value else 0


def random_mac() -> str:
    """A MAC address that no manufacturer gives out: locally administered, of one device.

    A device whose address the kernel has made up (addr_assign_type 1) gets another one from systemd-udevd a moment
    later (MACAddressPolicy=persistent, systemd.link(5)); one that it is created with stays.
    """
    first, *rest = secrets.token_bytes(6)
    return bytes([first & 0xFC | 0x02, *rest]).hex(":")


def add_link(
    name: str,
    kind: str,
    *,
    group: int,
    mtu: int | None = None,
    mac: str | None = None,
    parent: int | None = None,
    peer: str | None = None,
    options: dict[str, Any] | None = None,
) -> None:
    """Creates a device, down; the other end of a veth pair has a random MAC address.

    Raises KernelError; EEXIST when the name is taken.
    """
    parts = [text(_IFLA_IFNAME, name), u32(_IFLA_GROUP, group), *_creation_attributes(mtu, mac, parent)]
    parts.append(nested(_IFLA_LINKINFO, text(_IFLA_INFO_KIND, kind), *_kind_data(kind, group, peer, options or {})))
    body = _LINK.pack(0, 0, 0, 0, 0) + b"".join(parts)
    conversation().ask(_RTM_NEWLINK, body, NLM_F_CREATE | NLM_F_EXCL)


def add_veth_into(namespace: int, name: str, *, peer: str, peer_mac: str | None, mtu: int | None) -> None:
    """Creates a veth, down, whose other end is in another network namespace, given by a file descriptor.

    MAC addresses that are not given are random.
    The kernel makes both ends or none. Raises KernelError; EEXIST when the name of either end is taken.
    """
    attributes = _creation_attributes(mtu, peer_mac or random_mac(), None)
    inner = [text(_IFLA_IFNAME, peer), u32(_IFLA_NET_NS_FD, namespace), *attributes]
    other_end = nested(_VETH_INFO_PEER, _LINK.pack(0, 0, 0, 0, 0) + b"".join(inner))
    kind = nested(_IFLA_LINKINFO, text(_IFLA_INFO_KIND, "veth"), nested(_IFLA_INFO_DATA, other_end))
    parts = [text(_IFLA_IFNAME, name), *_creation_attributes(mtu, random_mac(), None), kind]
    conversation().ask(_RTM_NEWLINK, _LINK.pack(0, 0, 0, 0, 0) + b"".join(parts), NLM_F_CREATE | NLM_F_EXCL)


def _creation_attributes(mtu: int | None, mac: str | None, parent: int | None) -> list[bytes]:
    parts = []
    if mtu is not None:
        parts.append(u32(_IFLA_MTU, mtu))
    if mac is not None:
        parts.append(attribute(_IFLA_ADDRESS, bytes.fromhex(mac.replace(":", ""))))
    if parent is not None:
        parts.append(u32(_IFLA_LINK, parent))
    return parts


def _kind_data(kind: str, group: int, peer: str | None, options: dict[str, Any]) -> list[bytes]:
    data = [_option(kind, name, value) for name, value in options.items()]
    if peer is not None:
        inner = [text(_IFLA_IFNAME, peer), u32(_IFLA_GROUP, group), *_creation_attributes(None, random_mac(), None)]
        data.append(nested(_VETH_INFO_PEER, _LINK.pack(0, 0, 0, 0, 0) + b"".join(inner)))
    return [nested(_IFLA_INFO_DATA, *data)] if data else []


def _option(kind: str, name: str, value: Any) -> bytes:
    number, code = _OPTIONS[kind][name]
    if name == "mode":
        value = _mode_number(value)
    return attribute(number, struct.pack("=" + code, int(value)))


def _mode_number(name: str) -> int:
    for number, mode in _MACVTAP_MODES.items():
        if mode == name:
            return number
    raise ValueError(f"{name!r} is not a mode of macvtap")


def set_link(
    link: int | str,
    *,
    kind: str = "",
    mtu: int | None = None,
    mac: str | None = None,
    up: bool | None = None,
    promiscuous: bool | None = None,
    master: int | None = None,
    alias: str | None = None,
    group: int | None = None,
    options: dict[str, Any] | None = None,
    name: str | None = None,
) -> None:
    """Sets attributes of a device, given by index or by name; those that are None are left. ``name``: a new one.

    ``master`` 0 releases it from its bridge. Raises KernelError; ENODEV when there is no such device.
    """
    index, which = (0, [text(_IFLA_IFNAME, link)]) if isinstance(link, str) else (link, [])
    parts = [*which, *_creation_attributes(mtu, mac, None)]
    if master is not None:
        parts.append(u32(_IFLA_MASTER, master))
    if alias is not None:
        parts.append(attribute(_IFLA_IFALIAS, alias.encode()))
    if group is not None:
        parts.append(u32(_IFLA_GROUP, group))
    if name is not None:
        parts.append(text(_IFLA_IFNAME, name))
    if options:
        parts.append(nested(_IFLA_LINKINFO, text(_IFLA_INFO_KIND, kind), *_kind_data(kind, 0, None, options)))
    flags, change = _flags(up=up, promiscuous=promiscuous)
    conversation().ask(_RTM_NEWLINK, _LINK.pack(0, 0, index, flags, change) + b"".join(parts))


def _flags(*, up: bool | None, promiscuous: bool | None) -> tuple[int, int]:
    flags = (_IFF_UP if up else 0) | (_IFF_PROMISC if promiscuous else 0)
    change = (_IFF_UP if up is not None else 0) | (_IFF_PROMISC if promiscuous is not None else 0)
    return flags, change


def delete_links(links: Sequence[LinkInfo]) -> None:
    """Deletes devices in one go, as a group (IFLA_GROUP) made for that. Raises KernelError; some may be gone then."""
    group = deletion_group(secrets.randbits(8))
    for link in links:
        set_link(link.index, group=group)
    conversation().ask(_RTM_DELLINK, _LINK.pack(0, 0, 0, 0, 0) + u32(_IFLA_GROUP, group))


def delete_link(index: int) -> None:
    """Deletes a device. Raises KernelError; ENODEV when it is gone already."""
    conversation().ask(_RTM_DELLINK, _LINK.pack(0, 0, index, 0, 0))
