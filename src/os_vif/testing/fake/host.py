# SPDX-License-Identifier: Apache-2.0
"""A host in memory: what the engine reads from a host, and the closed list of operations that change one."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.kernel.addresses import family_of
from os_vif.host.kernel.bridge_ports import BridgePort, PortVlans
from os_vif.host.kernel.filter_path import FilterTable
from os_vif.host.kernel.iptables import ChainState
from os_vif.host.kernel.netlink import KernelError
from os_vif.host.kernel.nftables import NativeFilter
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.testing.fake import addresses, creation, firewall, settings
from os_vif.testing.fake.event import Event
from os_vif.testing.fake.foreign import Foreign
from os_vif.testing.fake.link import SYSCTL_DEFAULTS, FakeLink
from os_vif.testing.fake.namespace import FakeNamespace
from os_vif.testing.fake.trouble import Trouble, device_of

if TYPE_CHECKING:
    from os_vif.host.access.watchdog import Rescue

_OPERATIONS: dict[str, Callable[..., None]] = {
    "link.add": creation.link_add,
    "link.set": settings.link_set,
    "link.delete": creation.link_delete,
    "link.rename": settings.link_rename,
    "tap.add": creation.tap_add,
    "sysctl.set": settings.sysctl_set,
    "address.add": addresses.address_add,
    "address.delete": addresses.address_delete,
    "neighbour.probe": addresses.neighbour_probe,
    "route.add": addresses.route_add,
    "route.delete": addresses.route_delete,
    "firewall.set": firewall.firewall_set,
    "firewall.delete": firewall.firewall_delete,
}


class FakeHost:
    """A host with one network namespace, "initial", to begin with. Threads may share it.

        host = FakeHost()
        host.somebody.add_nic("eth0", pci="0000:01:00.0", addresses=["192.0.2.1/24"])
        host.links["eth0"].up
        host.fail_at("link.add", errno.ENOSPC)
        host.reboot()

    ``events`` are all changes, in order; clear() it to watch from now on. ``without`` names kinds of device that the
    kernel of this host does not have.
    """

    def __init__(self, without: Iterable[str] = ()) -> None:
        self.events: list[Event] = []
        self.privileged = True
        #: PCI address of a virtual function → its representor, the address of its physical function, and its number.
        self.virtual_functions: dict[str, tuple[str, str, int]] = {}
        self._without = tuple(without)
        self._mutex = threading.RLock()
        self._troubles: list[Trouble] = []
        self._operations = 0
        self._where = threading.local()
        self._namespaces: dict[str, FakeNamespace] = {}
        self._boot_id = ""
        self.somebody = Foreign(lambda: self.here, self.note)
        self.reboot()

    # --- for tests ------------------------------------------------------------------------------------------

    @property
    def links(self) -> Mapping[str, FakeLink]:
        """The devices of the present network namespace, by name."""
        return self.here.links

    @property
    def chains(self) -> Mapping[tuple[str, str], ChainState]:
        """The chains of os-vif in the present network namespace, by ("ipv4" or "ipv6", name)."""
        return self.here.chains

    @property
    def here(self) -> FakeNamespace:
        """The network namespace that the calling thread is in."""
        return self._namespaces[getattr(self._where, "name", "initial")]

    @contextlib.contextmanager
    def inside(self, namespace: str) -> Iterator[None]:
        """The calling thread is in another network namespace for a while; it is made when it is first entered."""
        before = getattr(self._where, "name", "initial")
        with self._mutex:
            if namespace not in self._namespaces:
                self._namespaces[namespace] = FakeNamespace(namespace, self._without)
        self._where.name = namespace
        try:
            yield
        finally:
            self._where.name = before

    def fail_at(
        self, which: str | int, error: int = errno.EIO, *, device: str = "", words: str = "", times: int = 1
    ) -> None:
        """Makes operations fail: those of a name ("link.add"), or the n-th from now on, counted from 1."""
        number = self._operations + which if isinstance(which, int) else which
        self._troubles.append(Trouble(number, error, device, words, times))

    def recover(self) -> None:
        """Forgets what fail_at() had been told."""
        self._troubles.clear()

    def reboot(self) -> None:
        """The machine goes down and comes up: a new boot id, no devices but ``lo`` and network cards, all down."""
        with self._mutex:
            nics = [link for link in self._all_links() if link.kind == "" and not link.loopback]
            self._namespaces = {"initial": FakeNamespace("initial", self._without)}
            self._boot_id = str(uuid.uuid4())
            for nic in nics:
                self._namespaces["initial"].add(nic.at_boot(self._namespaces["initial"].next_index()))

    def _all_links(self) -> list[FakeLink]:
        return [link for namespace in self._namespaces.values() for link in namespace.links.values()]

    def note(self, event: Event) -> None:
        """Adds to ``events``."""
        self.events.append(event)

    def snapshot(self) -> dict[str, Any]:
        """All that can be seen in the present namespace, for ``==``; indexes are left out, they never repeat."""
        with self._mutex:
            chains = {f"{family} {name}": vars(chain) for (family, name), chain in self.chains.items()}
            return {"links": {name: link.visible() for name, link in self.links.items()}, "chains": chains}

    # --- what the engine asks: os_vif.host.access.host.HostAccess ---------------------------------------------------

    def boot_id(self) -> str:
        """See HostAccess."""
        return self._boot_id

    def namespace(self) -> str:
        """See HostAccess."""
        return self.here.name

    def get_link(self, name: str) -> LinkInfo | None:
        """See HostAccess."""
        with self._mutex:
            return self.here.info(self.here.links[name]) if name in self.here.links else None

    def has_link(self, name: str) -> bool:
        """See HostAccess."""
        return self.get_link(name) is not None

    def index_of(self, name: str) -> int:
        """See HostAccess."""
        link = self.here.links.get(name)
        return link.index if link else 0

    def get_link_by_index(self, index: int) -> LinkInfo | None:
        """See HostAccess."""
        with self._mutex:
            link = self.here.by_index(index)
            return self.here.info(link) if link else None

    def ports_of(self, index: int) -> list[LinkInfo]:
        """See HostAccess."""
        with self._mutex:
            bridge = self.here.by_index(index)
            return [self.here.info(port) for port in self.here.ports(bridge.name)] if bridge else []

    def all_links(self) -> list[LinkInfo]:
        """See HostAccess."""
        with self._mutex:
            return [self.here.info(link) for link in self.here.links.values()]

    def is_held_open(self, link: LinkInfo) -> bool:
        """See HostAccess."""
        return link.name in self.links and self.links[link.name].held_open

    def read_sysctl(self, device: str, family: str, key: str) -> str | None:
        """See HostAccess."""
        link = self.here.links.get(device)
        known = SYSCTL_DEFAULTS if device == "default" else link.sysctls if link else {}
        return known.get(f"{family}/{key}")

    def addresses_of(self, index: int) -> list[dict[str, Any]]:
        """See HostAccess."""
        with self._mutex:
            link = self.here.by_index(index)
            return [dict(address) for address in link.addresses] if link else []

    def routes_via(self, index: int) -> list[dict[str, Any]]:
        """See HostAccess."""
        with self._mutex:
            link = self.here.by_index(index)
            by_family = lambda route: (family_of(route), bool(route["gateway"]))  # noqa: E731
            return sorted((dict(route) for route in link.routes), key=by_family) if link else []

    def static_neighbours(self, index: int) -> list[str]:
        """See HostAccess. There are none here."""
        return []

    def rules_naming(self, device: str) -> list[str]:
        """See HostAccess. There are none here."""
        return []

    def knows_neighbour(self, index: int, address: str) -> bool:
        """See HostAccess. Nobody remembers here."""
        return False

    def read_chain(self, family: str, chain: str, context: str) -> ChainState | None:
        """See HostAccess."""
        return self.here.chains.get((family, chain))

    def read_filter_table(self, family: str, context: str) -> FilterTable | None:
        """See HostAccess. Nothing but our own chains is there."""
        return None

    def read_native_filters(self, family: str, context: str) -> Sequence[NativeFilter]:
        """See HostAccess. There are none."""
        return ()

    def filters_bridged(self, bridge: int, family: str) -> bool:
        """See HostAccess. Bridges pass everything here."""
        return False

    def bridge_port(self, index: int) -> BridgePort | None:
        """See HostAccess. Ports are as they were made."""
        link = self.here.by_index(index)
        return BridgePort() if link and link.master else None

    def port_of_mac(self, bridge: int, mac: str) -> int:
        """See HostAccess. Bridges learn nothing here."""
        return 0

    def packet_sockets(self) -> frozenset[int]:
        """See HostAccess. There are none here."""
        return frozenset()

    def bridge_vlans(self, bridge: int) -> Mapping[int, PortVlans] | None:
        """See HostAccess. Bridges do not filter by VLANs here."""
        return None

    def netdev_of_pci(self, address: str) -> str | None:
        """See HostAccess."""
        return next((link.name for link in self.here.links.values() if link.pci == address), None)

    def representor_of(self, vf: str) -> str:
        """See HostAccess."""
        return self._virtual_function(vf)[0]

    def physical_function_of(self, vf: str) -> tuple[str, int]:
        """See HostAccess."""
        return self._virtual_function(vf)[1:]

    def _virtual_function(self, address: str) -> tuple[str, str, int]:
        if address not in self.virtual_functions:
            raise LookupError(f"there is no virtual function at PCI address {address}")
        return self.virtual_functions[address]

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """See HostAccess."""
        for done, operation in enumerate(operations):
            try:
                with self._mutex:
                    self._do(operation)
            except KernelError as error:
                raise OperationFailed(done, error.errno or 0, str(error)) from None
            except (AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
                words = f"operation {operation.name!r} was refused: {error}"
                raise OperationFailed(done, errno.EINVAL, words) from None

    def watched(self, rescue: Rescue) -> contextlib.AbstractContextManager[None]:
        """See HostAccess. It ends with the process."""
        return contextlib.nullcontext()

    def _do(self, operation: Operation) -> None:
        self._operations += 1
        for trouble in self._troubles:
            if trouble.concerns(self._operations, operation):
                trouble.strike()
        if not self.privileged:
            raise KernelError(errno.EPERM, os.strerror(errno.EPERM))
        _OPERATIONS[operation.name](self.here, **operation.arguments)
        self.note(Event(operation.name, device_of(operation), operation.arguments))
