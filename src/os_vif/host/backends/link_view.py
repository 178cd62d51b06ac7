# SPDX-License-Identifier: Apache-2.0
"""What the planner knows of devices: each asked for once, by name, when it is first looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from os_vif.host.access.host import HostAccess
from os_vif.host.journal import marks
from os_vif.host.kernel import addresses
from os_vif.host.kernel.rtnetlink import LinkInfo


class LinkView:
    """The devices of one namespace, as they were when first looked at."""

    def __init__(self, host: HostAccess) -> None:
        self._host = host
        self._links: dict[str, LinkInfo | None] = {}
        self._names: dict[int, str] = {0: ""}

    def link(self, name: str) -> LinkInfo | None:
        """The device of that name, or None."""
        if name not in self._links:
            self._remember(name, self._host.get_link(name))
        return self._links[name]

    def name_of(self, index: int) -> str:
        """The name of a device by its index; "" for index 0 and for a device of another namespace."""
        if index not in self._names:
            info = self._host.get_link_by_index(index)
            self._names[index] = info.name if info else ""
        return self._names[index]

    def by_index(self, index: int) -> LinkInfo | None:
        """The device of that index, or None."""
        info = self._host.get_link_by_index(index)
        return self._host.get_link(info.name) if info else None

    def host_addresses(self, name: str) -> Iterator[str]:
        """The addresses that the host has on a device, but for those of the link that every device has."""
        info = self.link(name)
        found = self._host.addresses_of(info.index) if info else []
        return (str(address["shown"]) for address in found if not addresses.is_link_local(address))

    def is_needed(self, info: LinkInfo) -> bool:
        """Whether a device must stay up: for the host's addresses on it or reached by it, or others' devices on top."""
        names = filter(None, (info.name, self.name_of(info.master)))
        if any(address for name in names for address in self.host_addresses(name)):
            return True
        return not all(marks.is_marked(link) for link in self.on_top_of(info.name))

    def mac_of_first(self, names: Sequence[str]) -> str | None:
        """The MAC address of the first of these devices that is there."""
        found = (info.mac for name in names if (info := self.link(name)))
        return next(found, None)

    def sysctl(self, device: str, key: str) -> str | None:
        """The value of "family/key" for a device; None where the kernel has no such key."""
        family, _, name = key.partition("/")
        return self._host.read_sysctl(device, family, name)

    def ports(self, bridge: str) -> list[LinkInfo]:
        """The ports of a bridge."""
        info = self.link(bridge)
        return self._host.ports_of(info.index) if info else []

    def on_top_of(self, name: str) -> list[LinkInfo]:
        """The VLAN and macvtap devices that go with this device. Takes a look at every device: only for removal."""
        info = self.link(name)
        above = self._host.all_links() if info else []
        return [link for link in above if info and link.parent == info.index and link.kind != "veth"]

    def netdev_of_pci(self, address: str) -> str | None:
        """The name of the network device at a PCI address."""
        return self._host.netdev_of_pci(address)

    def _remember(self, name: str, info: LinkInfo | None) -> None:
        self._links[name] = info
        if info is not None:
            self._names[info.index] = name
