# SPDX-License-Identifier: Apache-2.0
"""Giving an interface to a running QEMU and taking it back; either can be repeated.

The order is QEMU's: a card needs its backend, and a vhost-user backend its socket.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from os_vif.hypervisors.qemu.parts import Parts
from os_vif.hypervisors.qemu.qmp import Message, Monitor, Refused

_PERIPHERALS = "/machine/peripheral"
#: Ports for one card each. On a machine q35, cards can be plugged into these only, not into the bus pcie.0.
_PORTS = ("child<pcie-root-port>", "child<ioh3420>", "child<xio3130-downstream>")

#: Seconds after which a guest is asked again: one that is still booting does not hear it the first time.
_PATIENCE = 5.0

#: QEMU's word for a machine whose guest runs elsewhere (enum RunState).
_MOVED = "postmigrate"
#: ... and of one whose guest is still to come.
_TO_COME = "inmigrate"

#: QEMU's words for a bus that takes no cards while the machine runs, and what we add to them.
_COLD_BUS = "does not support hotplugging"
_HOW_TO_GET_PORTS = (
    "There is no free PCI port: start QEMU with one for each interface to come,"
    " `-device pcie-root-port,id=port1,chassis=1`, or name a bus in the guest's option `bus`"
)


class Unplugged(Exception):
    """The guest refused to let go of a card."""


def add(monitor: Monitor, parts: Parts) -> None:
    """Adds what is not there. A failure leaves nothing of it. Raises Refused, OSError, DeadlineExceeded."""
    if _has_card(monitor, parts):
        return
    _remove_backend(monitor, parts)  # of an attempt that was cut off
    try:
        if parts.socket is not None:
            monitor.execute("chardev-add", **parts.chardev())
        monitor.execute("netdev_add", **parts.netdev)
        _add_card(monitor, parts)
    except BaseException:
        with contextlib.suppress(Exception):
            _remove_backend(monitor, parts)
        raise


def is_there(monitor: Monitor, parts: Parts) -> bool | None:
    """Whether the guest has the card; None where it does not run here (yet, or any more)."""
    if monitor.ask("query-status").pick("status", str) in (_MOVED, _TO_COME):
        return None
    return _has_card(monitor, parts)


def remove(monitor: Monitor, parts: Parts) -> None:
    """Removes what is there, and waits until the guest let go of the card.

    A guest that has moved to another QEMU lets go of nothing here, and nothing is to be removed. Raises Refused,
    Unplugged, OSError, DeadlineExceeded.
    """
    if monitor.ask("query-status").pick("status", str) == _MOVED:
        return
    if _has_card(monitor, parts):
        _remove_card(monitor, parts)
    _remove_backend(monitor, parts)


def _has_card(monitor: Monitor, parts: Parts) -> bool:
    return parts.card_id in _children(monitor, _PERIPHERALS)


def _children(monitor: Monitor, path: str) -> dict[str, str]:
    return {child.pick("name", str): child.pick("type", str) for child in monitor.ask_all("qom-list", path=path)}


def _add_card(monitor: Monitor, parts: Parts) -> None:
    card = dict(parts.card)
    if "bus" not in card and (port := next(_free_ports(monitor), "")):
        card["bus"] = port
    try:
        monitor.execute("device_add", **card)
    except Refused as error:
        if _COLD_BUS in str(error):
            raise Refused(error.kind, f"{str(error).rstrip('.')}. {_HOW_TO_GET_PORTS}") from error
        raise


def _free_ports(monitor: Monitor) -> Iterator[str]:
    """A port is named, and the bus behind it bears the same name; cards are its children."""
    for name, kind in _children(monitor, _PERIPHERALS).items():
        if kind in _PORTS and not _cards_on(monitor, f"{_PERIPHERALS}/{name}/{name}"):
            yield name


def _cards_on(monitor: Monitor, bus: str) -> list[str]:
    return [name for name in _children(monitor, bus) if name.startswith("child[")]


def _remove_card(monitor: Monitor, parts: Parts) -> None:
    """QEMU asks the guest, which may take its time, and tells when the guest let go."""
    gone = f"the guest to let go of {parts.card_id}"
    event = None
    while event is None and _ask_for(monitor, parts.card_id):
        event = monitor.wait_for(_about(parts.card_id), gone, seconds=_PATIENCE)
    if event is not None and event["event"] != "DEVICE_DELETED":
        raise Unplugged("the guest refused to let go of the card.")


def _ask_for(monitor: Monitor, card: str) -> bool:
    """Has QEMU ask the guest to let go of a card; returns whether it still has it."""
    try:
        monitor.execute("device_del", id=card)
    except Refused as error:
        # It may have been asked for before: then QEMU says so, and it is the guest's turn all the same.
        if error.kind != "DeviceNotFound" and not _is_under_way(error):
            raise
        return error.kind != "DeviceNotFound"
    return True


def _is_under_way(error: Refused) -> bool:
    return "in the process of unplug" in str(error)


def _about(card: str) -> Callable[[Message], bool]:
    def is_wanted(event: Message) -> bool:
        told = ("DEVICE_DELETED", "DEVICE_UNPLUG_GUEST_ERROR")
        data = event.get("data")
        return event.get("event") in told and isinstance(data, dict) and data.get("device") == card

    return is_wanted


def _remove_backend(monitor: Monitor, parts: Parts) -> None:
    with _missing_is_fine():
        monitor.execute("netdev_del", id=parts.netdev_id)
    if parts.chardev_id in _chardevs(monitor, parts):
        monitor.execute("chardev-remove", id=parts.chardev_id)


def _chardevs(monitor: Monitor, parts: Parts) -> set[str]:
    if parts.socket is None:
        return set()
    return {found.pick("label", str) for found in monitor.ask_all("query-chardev")}


@contextlib.contextmanager
def _missing_is_fine() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        if error.kind != "DeviceNotFound":
            raise
