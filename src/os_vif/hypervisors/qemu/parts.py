# SPDX-License-Identifier: Apache-2.0
"""The parts that an interface is made of in QEMU: a backend on the host, a card for the guest. Pure.

Source of names and types: QEMU's qapi/net.json and qapi/char.json; `qemu-system-x86_64 -device virtio-net-pci,help`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from os_vif.hypervisors import taps
from os_vif.hypervisors.driver import Guest
from os_vif.hypervisors.reading import Reader
from os_vif.objects.vif import VIFBase, VIFVHostUser

HYPERVISOR = "qemu"

VIRTIO = "virtio"
#: What the guest may see: QEMU's name of the device. Only a card of virtio has several queues, and learns the MTU.
CARDS = {
    VIRTIO: "virtio-net-pci",
    **{name: name for name in ("e1000", "e1000e", "igb", "ne2k_pci", "pcnet", "rtl8139", "vmxnet3")},
}

#: What ``guest.options`` may say of the card, and the type of it.
_CARD_OPTIONS = {"bus": str, "addr": str, "romfile": str, "vectors": int}

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Parts:
    """``netdev`` and ``card`` are the arguments of the commands netdev_add and device_add; ``socket``: for vhost-user,
    its path and whether QEMU makes it.
    """

    netdev: Values
    card: Values
    socket: tuple[str, bool] | None = None

    @property
    def netdev_id(self) -> str:
        """The backend's id."""
        return str(self.netdev["id"])

    @property
    def card_id(self) -> str:
        """The card's id."""
        return str(self.card["id"])

    @property
    def chardev_id(self) -> str:
        """The id of the character device that stands for the socket."""
        return str(self.netdev.get("chardev", ""))

    def chardev(self) -> Values:
        """The arguments of the command chardev-add."""
        assert self.socket is not None
        path, server = self.socket
        data = {"addr": {"type": "unix", "data": {"path": path}}, "server": server}
        return {
            "id": self.chardev_id,
            "backend": {"type": "socket", "data": data | ({"wait": False} if server else {})},
        }

    def arguments(self) -> list[str]:
        """The same for the command line."""
        return list(self._arguments())

    def _arguments(self) -> Iterator[str]:
        if self.socket is not None:
            path, server = self.socket
            listens: Values = {"server": True, "wait": False} if server else {}
            yield "-chardev"
            yield _words("socket", {"id": self.chardev_id, "path": path, **listens})
        yield "-netdev"
        yield _words(self.netdev["type"], {k: v for k, v in self.netdev.items() if k != "type"})
        yield "-device"
        yield _words(self.card["driver"], {k: v for k, v in self.card.items() if k != "driver"})


def text_of(arguments: list[str]) -> str:
    """For a shell."""
    return shlex.join(arguments)


def parts_of(vif: VIFBase, guest: Guest, *, vhost: bool) -> Parts:
    """What a VIF is in QEMU; ``vhost``: the kernel moves the packets of taps. Raises CannotRender."""
    reader = Reader(HYPERVISOR, vif)
    if isinstance(vif, VIFVHostUser):
        return _vhost_user(reader, guest)
    return _tap(reader, guest, vhost=vhost)


def _tap(reader: Reader, guest: Guest, *, vhost: bool) -> Parts:
    netdev: dict[str, Any] = {
        "type": "tap",
        "id": f"net-{reader.vif_id}",
        "ifname": taps.name_of(reader, guest),
        "script": "no",
        "downscript": "no",
    }
    if vhost:
        netdev["vhost"] = True
    return Parts(netdev | _queues(guest), _card(reader, guest))


def _vhost_user(reader: Reader, guest: Guest) -> Parts:
    if guest.shared_memory is False:
        reader.refuse("the guest's memory is not shared with other processes, which vhost-user needs.")
    if (guest.model or VIRTIO) != VIRTIO:
        reader.refuse(f"vhost-user is for virtio; the guest is to see {guest.model}.")
    path = reader.required("path", "because the socket is there")
    server = reader.required("mode", "because it says who makes the socket") == "server"
    netdev: dict[str, Any] = {"type": "vhost-user", "id": f"net-{reader.vif_id}", "chardev": f"chr-{reader.vif_id}"}
    return Parts(netdev | _queues(guest), _card(reader, guest), (path, server))


def _queues(guest: Guest) -> dict[str, Any]:
    return {"queues": guest.queues} if guest.queues > 1 else {}


def _card(reader: Reader, guest: Guest) -> dict[str, Any]:
    model = guest.model or VIRTIO
    if model not in CARDS:
        reader.refuse(f"QEMU has no card {model}; it has {', '.join(sorted(CARDS))}.")
    card: dict[str, Any] = {"driver": CARDS[model], "id": f"nic-{reader.vif_id}", "netdev": f"net-{reader.vif_id}"}
    if reader.mac is not None:
        card["mac"] = reader.mac
    if model == VIRTIO:
        card |= _of_virtio(reader, guest)
    elif guest.queues > 1:
        reader.refuse(f"{guest.queues} queues are wanted, and a card {model} has one.")
    return card | _stated_options(reader, guest)


def _of_virtio(reader: Reader, guest: Guest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if guest.queues > 1:
        # One interrupt for each direction of each queue, one for changes of configuration, one for control.
        found |= {"mq": True, "vectors": 2 * guest.queues + 2}
    if reader.mtu is not None:
        found["host_mtu"] = reader.mtu
    return found


def _stated_options(reader: Reader, guest: Guest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind in _CARD_OPTIONS.items():
        if name in guest.options:
            try:
                found[name] = kind(guest.options[name])
            except ValueError:
                reader.refuse(f"the guest's option {name} must be a number, not {guest.options[name]!r}.")
    return found


def _words(first: str, values: Values) -> str:
    return ",".join([first, *(f"{name}={_word(value)}" for name, value in values.items())])


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value).replace(",", ",,")
