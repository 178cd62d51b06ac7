# SPDX-License-Identifier: Apache-2.0
"""A network namespace of a fake host: its devices and its chains, and how to find things in it."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Iterable

from os_vif.host.access.kernel_operations import device_name
from os_vif.host.kernel.iptables import ChainState
from os_vif.host.kernel.netlink import KernelError
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.testing.fake.link import FakeLink, new_link


class FakeNamespace:
    """Holds ``links`` by name and ``chains`` by (family, name). It has a loopback device, down, from the beginning."""

    def __init__(self, name: str, without: Iterable[str] = ()) -> None:
        self.name = name
        #: Kinds of device that this kernel does not have.
        self.without = frozenset(without)
        self.links: dict[str, FakeLink] = {}
        self.chains: dict[tuple[str, str], ChainState] = {}
        self._indexes = itertools.count(1)
        self.add(new_link("lo", self.next_index(), "", mtu=65536))

    def next_index(self) -> int:
        """The kernel never gives an index out again, and neither do we."""
        return next(self._indexes)

    def add(self, link: FakeLink) -> FakeLink:
        """Puts a device in."""
        self.links[link.name] = link
        return link

    def find(self, name: str) -> FakeLink:
        """The device of that name. Raises KernelError, ValueError as the kernel side does."""
        if device_name(name) not in self.links:
            raise KernelError(errno.ENODEV, f"device {name} does not exist")
        return self.links[name]

    def by_index(self, index: int) -> FakeLink | None:
        """The device of that index, or None."""
        return next((link for link in self.links.values() if link.index == index), None)

    def ports(self, bridge: str) -> list[FakeLink]:
        """The ports of a bridge, in the order of their indexes."""
        return [link for link in self.links.values() if link.master == bridge]

    def on_top_of(self, name: str, kind: str = "") -> list[FakeLink]:
        """The VLAN and macvtap devices that have this parent; of one kind when it is given."""
        return [link for link in self.links.values() if link.parent == name and kind in ("", link.kind)]

    def info(self, link: FakeLink) -> LinkInfo:
        """The device as the engine sees it."""
        return link.info(self._index_of(link.master), self._index_of(link.parent or link.peer))

    def _index_of(self, name: str) -> int:
        return self.links[name].index if name in self.links else 0
