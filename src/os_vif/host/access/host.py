# SPDX-License-Identifier: Apache-2.0
"""The seam between the engine and a host: everything that is read from it, and the one way to change it.

RealHost is this machine, in the network namespace of the calling thread. ``os_vif.testing.FakeHost`` is a host in
memory for tests without privileges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from os_vif.host.access import privileged
from os_vif.host.contract.operations import Operation
from os_vif.host.kernel import (
    addresses,
    bridge_ports,
    neighbour_table,
    netlink,
    packet_sockets,
    rtnetlink,
    sysctl,
    sysfs,
)
from os_vif.host.kernel.bridge_ports import BridgePort, PortVlans
from os_vif.host.kernel.filter_path import FilterTable
from os_vif.host.kernel.iptables import ChainState
from os_vif.host.kernel.nftables import NativeFilter
from os_vif.host.kernel.rtnetlink import LinkInfo

if TYPE_CHECKING:
    from os_vif.host.access.watchdog import Rescue

_INITIAL_NAMESPACE_COOKIE = 1


class HostAccess(Protocol):
    """A host. Reading changes nothing and needs no privileges, but for the firewall."""

    def boot_id(self) -> str:
        """Changes with every boot."""

    def namespace(self) -> str:
        """Names the network namespace; "initial" for the machine's own, else unique until the next boot."""

    def get_link(self, name: str) -> LinkInfo | None:
        """The device of that name, or None."""

    def has_link(self, name: str) -> bool:
        """Whether there is a device of that name."""

    def index_of(self, name: str) -> int:
        """The index of the device of that name; 0 where there is none."""

    def get_link_by_index(self, index: int) -> LinkInfo | None:
        """The device of that index, or None."""

    def ports_of(self, index: int) -> list[LinkInfo]:
        """The devices whose master has that index."""

    def all_links(self) -> list[LinkInfo]:
        """Every device; for garbage collection only."""

    def is_held_open(self, link: LinkInfo) -> bool:
        """Whether a process has a macvtap open, or may have; for garbage collection only."""

    def read_sysctl(self, device: str, family: str, key: str) -> str | None:
        """A per-device sysctl, or None where the kernel has none."""

    def addresses_of(self, index: int) -> list[dict[str, Any]]:
        """The IPv4 addresses of a device."""

    def routes_via(self, index: int) -> list[dict[str, Any]]:
        """The IPv4 routes that leave by a device."""

    def static_neighbours(self, index: int) -> list[str]:
        """The neighbours that somebody has entered by hand on a device."""

    def rules_naming(self, device: str) -> list[str]:
        """The rules of routing that are for packets from, or to, a device."""

    def knows_neighbour(self, index: int, address: str) -> bool:
        """Whether a neighbour has answered on a device lately."""

    def read_chain(self, family: str, chain: str, context: str) -> ChainState | None:
        """A chain of the filter table, or None."""

    def read_filter_table(self, family: str, context: str) -> FilterTable | None:
        """The filter table of "ipv4", "ipv6" or "bridge"; None where it cannot be read, or not by us."""

    def read_native_filters(self, family: str, context: str) -> Sequence[NativeFilter]:
        """Filters of forwarded packets that somebody has written in nftables; none where they cannot be read."""

    def filters_bridged(self, bridge: int, family: str) -> bool:
        """Whether what the bridge of that index passes goes through the filter table of "ipv4" or "ipv6"."""

    def bridge_port(self, index: int) -> BridgePort | None:
        """The device of that index as a port of a Linux bridge, or None."""

    def port_of_mac(self, bridge: int, mac: str) -> int:
        """The index of the port at which a bridge, given by index, has learned a MAC address; 0 for none."""

    def packet_sockets(self) -> frozenset[int]:
        """The indexes of the devices that somebody has a packet socket on; -1 for those on devices that are gone."""

    def bridge_vlans(self, bridge: int) -> Mapping[int, PortVlans] | None:
        """The VLANs of the ports of a bridge, and of itself, by index; None where it does not filter by them."""

    def netdev_of_pci(self, address: str) -> str | None:
        """The name of the network device at a PCI address, or None."""

    def representor_of(self, vf: str) -> str:
        """The device that stands for a virtual function. Raises LookupError."""

    def physical_function_of(self, vf: str) -> tuple[str, int]:
        """The PCI address of the physical function of a virtual function, and its number. Raises LookupError."""

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """Does operations in order. Raises OperationFailed."""

    def watched(self, rescue: Rescue) -> AbstractContextManager[None]:
        """While it lasts, somebody rescues the host if this process dies."""


class RealHost:
    """This machine, in the network namespace of the calling thread."""

    def __init__(self, sysfs_root: Path = Path("/sys")) -> None:
        self._sysfs_root = sysfs_root
        self._boot_id = ""

    get_link = staticmethod(rtnetlink.get_link)
    index_of = staticmethod(rtnetlink.index_of)
    get_link_by_index = staticmethod(rtnetlink.get_link_by_index)
    ports_of = staticmethod(rtnetlink.ports_of)
    all_links = staticmethod(rtnetlink.all_links)
    read_sysctl = staticmethod(sysctl.read)
    addresses_of = staticmethod(addresses.addresses_of)
    routes_via = staticmethod(addresses.routes_via)
    static_neighbours = staticmethod(neighbour_table.static_on)
    rules_naming = staticmethod(addresses.rules_naming)
    knows_neighbour = staticmethod(neighbour_table.is_known)
    read_chain = staticmethod(privileged.read_chain)
    read_filter_table = staticmethod(privileged.read_filter_table)
    read_native_filters = staticmethod(privileged.read_native_filters)
    bridge_port = staticmethod(bridge_ports.read_port)
    port_of_mac = staticmethod(bridge_ports.port_of_mac)
    packet_sockets = staticmethod(packet_sockets.devices)
    bridge_vlans = staticmethod(bridge_ports.read_vlans)
    run = staticmethod(privileged.run)

    def watched(self, rescue: Rescue) -> AbstractContextManager[None]:
        """By a process of its own."""
        from os_vif.host.access import watchdog  # few need it

        return watchdog.watching(rescue)

    def has_link(self, name: str) -> bool:
        """Asked for its index only, which waits for nobody."""
        return rtnetlink.index_of(name) != 0

    def filters_bridged(self, bridge: int, family: str) -> bool:
        """By the setting of the namespace, or that of the bridge itself."""
        return sysctl.bridges_call_filter(family) or bridge_ports.calls_filter(bridge, family)

    def is_held_open(self, link: LinkInfo) -> bool:
        """By its character device, which is named after the index of the network device (drivers/net/macvtap.c)."""
        from os_vif.host.kernel import open_files

        return open_files.may_be_open(f"tap{link.index}")

    def boot_id(self) -> str:
        """The kernel's boot id."""
        if not self._boot_id:
            self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return self._boot_id

    def namespace(self) -> str:
        """By the kernel's cookie for the namespace; by its inode before Linux 5.14."""
        cookie = netlink.conversation().namespace_cookie()
        if cookie is None:
            return f"inode-{netlink.namespace_inode()}"
        return "initial" if cookie == _INITIAL_NAMESPACE_COOKIE else f"cookie-{cookie}"

    def netdev_of_pci(self, address: str) -> str | None:
        """Looked up in sysfs."""
        return sysfs.netdev_of_pci(address, self._sysfs_root)

    def representor_of(self, vf: str) -> str:
        """Looked up in sysfs."""
        return sysfs.representor_of(vf, self._sysfs_root)

    def physical_function_of(self, vf: str) -> tuple[str, int]:
        """Looked up in sysfs."""
        return sysfs.physical_function_of(vf, self._sysfs_root)
