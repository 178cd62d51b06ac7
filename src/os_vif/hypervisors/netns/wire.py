# SPDX-License-Identifier: Apache-2.0
"""A veth between the host and a namespace: made, brought to what is wanted, recognized, and taken away.

It bears no mark of os-vif's: it is the hypervisor's, as the tap of a virtual machine is, and garbage collection leaves
it alone. The host's end has an alias of its own, by which it is known wherever the guest has its end by now, whatever
it is called there, and whatever its MAC address is. One that has none (it was cut off, or made by an earlier os-vif) is
known by its two ends, which know each other, and by the guest's MAC address.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from os_vif.exception.log import logger
from os_vif.host.kernel import addresses as kernel_addresses
from os_vif.host.kernel import ethtool, namespaces, neighbours, rtnetlink, sysctl
from os_vif.host.kernel.netlink import KernelError
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import NO_HOST_IP

LOG = logger(__name__)

#: Tries to find a free name in a namespace that others give interfaces to at the same time.
_TRIES = 20


class InTheWay(OSError):
    """There is a device of that name that is not this wire's."""


@dataclass(frozen=True)
class Wire:
    """``name``: the host's end. ``guest_name``: the other one's, the next free ethN where empty.

    ``bridge``: the Linux bridge that the host's end is put into, if any. ``fills_in_checksums``: whether packets must
    leave the guest complete, as who takes them by a packet socket wants (Open vSwitch's datapath in userspace).
    """

    namespace: Path
    name: str
    mac: str | None
    mtu: int | None
    guest_name: str = ""
    bridge: str = ""
    fills_in_checksums: bool = False

    @property
    def _alias(self) -> str:
        return f"netns-guest {self.name}"

    def make(self) -> bool:
        """Makes it, both ends down, unless it is there. Returns whether it was made. Raises OSError, InTheWay."""
        for _ in range(_TRIES):
            host_end = self.host_end()
            if host_end is not None:
                self.check_ours(host_end)
                return False
            if self._was_made():
                return True
        raise InTheWay(errno.EEXIST, f"no name could be found for the interface in {self.namespace}")

    def converge(self, addresses: Sequence[Any], routes_of: Callable[[int], Sequence[Any]]) -> None:
        """Sets what differs, on both ends; up is the last of it. ``routes_of`` takes the interface's number."""
        host_end = self.host_end()
        if host_end is None:
            raise KernelError(errno.ENODEV, f"{self.name} vanished while it was set up")
        if host_end.name != self.name:
            _name_back(host_end, self.name)
        if host_end.alias != self._alias:
            rtnetlink.set_link(host_end.index, alias=self._alias)
        for key, value in NO_HOST_IP.items():
            _set_sysctl(self.name, key, value)
        master = self._bridge_index()
        changes: dict[str, Any] = {
            "mtu": self.mtu if self.mtu not in (None, host_end.mtu) else None,
            "master": master if master not in (None, host_end.master) else None,
            "up": True if not host_end.up else None,
        }
        _set(host_end, changes)
        namespaces.inside(self.namespace, lambda: self._converge_inside(host_end, addresses, routes_of))

    def remove(self) -> None:
        """Deletes it, both ends, wherever the other one is by now. What is not ours stays, and the log says so.

        Raises OSError.
        """
        host_end = self.host_end()
        if host_end is None:
            return
        if not self._leads_into_the_guest(host_end):
            LOG.warning("%s is left: it bears no mark, and does not lead into %s.", host_end.name, self.namespace)
            return
        with _gone_is_fine():
            rtnetlink.delete_link(host_end.index)

    def _leads_into_the_guest(self, host_end: LinkInfo) -> bool:
        """Whether it is ours to take away: then the guest may have given its end any MAC address."""
        if self._is_marked(host_end):
            return True
        try:
            return self._peer(host_end) is not None
        except FileNotFoundError:  # the namespace has gone, and whatever was in it
            return False

    def host_end(self) -> LinkInfo | None:
        """By its name, or by its alias where somebody has renamed it."""
        found = rtnetlink.get_link(self.name)
        return found or next((link for link in rtnetlink.all_links() if link.alias == self._alias), None)

    def _was_made(self) -> bool:
        descriptor = os.open(self.namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            name = self.guest_name or namespaces.inside(self.namespace, _free_name)
            rtnetlink.add_veth_into(descriptor, self.name, peer=name, peer_mac=self.mac, mtu=self.mtu)
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise
            if self.guest_name and rtnetlink.get_link(self.name) is None:
                reason = f"the namespace {self.namespace.name} has an interface {self.guest_name} already"
                raise InTheWay(errno.EEXIST, reason) from error
            return False
        finally:
            os.close(descriptor)
        return True

    def check_ours(self, host_end: LinkInfo) -> None:
        """Raises InTheWay where the device leads somewhere else."""
        if self._is_marked(host_end):
            return
        if self._other_end(host_end) is None:
            reason = f"there is a device {self.name} already, and it does not lead to this guest's interface"
            raise InTheWay(errno.EEXIST, reason)

    def _is_marked(self, host_end: LinkInfo) -> bool:
        return host_end.alias == self._alias and host_end.kind == "veth"

    def _other_end(self, host_end: LinkInfo) -> LinkInfo | None:
        found = self._peer(host_end)
        return found if found and self.mac in (None, found.mac) else None

    def _peer(self, host_end: LinkInfo) -> LinkInfo | None:
        """The end in the guest's namespace, if it is there. Raises FileNotFoundError where there is none."""
        found = namespaces.inside(self.namespace, lambda: rtnetlink.get_link_by_index(host_end.parent))
        if host_end.kind != "veth" or found is None or found.kind != "veth" or found.parent != host_end.index:
            return None
        return found

    def _bridge_index(self) -> int | None:
        if not self.bridge:
            return None
        bridge = rtnetlink.get_link(self.bridge)
        if bridge is None:
            raise KernelError(errno.ENODEV, f"there is no bridge {self.bridge} to put {self.name} into")
        return bridge.index

    def _converge_inside(
        self, host_end: LinkInfo, addresses: Sequence[Any], routes_of: Callable[[int], Sequence[Any]]
    ) -> None:
        link = self._required_end(host_end)
        if self.fills_in_checksums:
            ethtool.leave_checksums_to_the_sender(link.name)
        _set(link, {"mtu": self.mtu if self.mtu not in (None, link.mtu) else None, "up": None if link.up else True})
        for address in addresses:
            with _there_is_fine():
                kernel_addresses.add_address(link.index, address)
        _announce(link, addresses)
        for route in routes_of(number_of(link.name)):
            with _there_is_fine():
                kernel_addresses.add_route(link.index, route)

    def _required_end(self, host_end: LinkInfo) -> LinkInfo:
        link = rtnetlink.get_link_by_index(host_end.parent)
        if link is None:
            raise KernelError(errno.ENODEV, f"the guest's end of {self.name} vanished while it was set up")
        return link


def _announce(link: LinkInfo, addresses: Sequence[Any]) -> None:
    """Neighbours may know them by whom they belonged to until now; they do without where that cannot be told."""
    with contextlib.suppress(OSError):
        shown = [ipaddress.ip_interface(address["shown"]).ip for address in addresses]
        neighbours.announce(link.name, link.mac or "", shown)


def _free_name() -> str:
    taken = {link.name for link in rtnetlink.all_links()}
    return next(f"eth{number}" for number in range(len(taken) + 1) if f"eth{number}" not in taken)


def number_of(name: str) -> int:
    """The number at the end of an interface's name; 0 where there is none."""
    digits = name[len(name.rstrip("0123456789")) :]
    return int(digits or 0)


def _set(link: LinkInfo, changes: dict[str, Any]) -> None:
    wanted = {key: value for key, value in changes.items() if value is not None}
    if wanted:
        rtnetlink.set_link(link.index, **wanted)


def _name_back(link: LinkInfo, name: str) -> None:
    try:
        rtnetlink.set_link(link.index, name=name)
    except KernelError as error:
        if error.errno != errno.EBUSY:
            raise
        rtnetlink.set_link(link.index, up=False)  # before Linux 6.2
        rtnetlink.set_link(link.index, name=name)
        rtnetlink.set_link(link.index, up=True)


def _set_sysctl(device: str, key: str, value: str) -> None:
    family, _, name = key.partition("/")
    if sysctl.read(device, family, name) not in (None, value):
        sysctl.write(device, family, name, value)


@contextlib.contextmanager
def _there_is_fine() -> Iterator[None]:
    try:
        yield
    except KernelError as error:
        if error.errno != errno.EEXIST:
            raise


@contextlib.contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except KernelError as error:
        if error.errno != errno.ENODEV:
            raise
