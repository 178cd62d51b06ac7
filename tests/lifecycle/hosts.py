# SPDX-License-Identifier: Apache-2.0
"""Hosts that share the networks of one database: each a network namespace with a journal of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from os_vif import lifecycle
from os_vif.host.access.host import RealHost
from os_vif.host.engine.engine import Engine
from os_vif.host.journal.journal import Journal
from os_vif.host.journal.locks import Locks
from os_vif.hypervisors.driver import Guest
from os_vif.lifecycle import Attachments, AttachmentSpec, Parties
from os_vif.loading import drivers
from os_vif.networks.local.admin import Manager
from os_vif.networks.local.driver import LocalDriver
from os_vif.networks.local.spec import WantedNetwork
from os_vif.plugging import current
from support import differences
from support.netns import Namespace

T = TypeVar("T")

ID = "5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7{}"


class Networks:
    """The network side that all hosts see."""

    def __init__(self, path: Path) -> None:
        self.config = SimpleNamespace(
            database=str(path), ovs_datapath_type="system", ovs_dpdk=False, vhostuser_socket_dir="/run"
        )
        self.manager = Manager(self.driver().database, self.config)

    def driver(self) -> LocalDriver:
        """As another process would have it."""
        return LocalDriver("local", self.config)

    def create(self, name: str = "blue", **spec: Any) -> Any:
        """A network, with a subnet unless told otherwise."""
        return self.manager.create(WantedNetwork(name, **({"cidrs": ["192.0.2.0/24"]} | spec)))

    def ports(self) -> list[Any]:
        """All ports of all networks."""
        return self.manager.ports()

    def bindings(self) -> dict[str, str]:
        """The status of every binding, by host."""
        return {binding.host: binding.status for port in self.ports() for binding in port.bindings}

    def bindings_of(self, spec: AttachmentSpec) -> dict[str, str]:
        """The same of one port."""
        found = next(port for port in self.ports() if port.key == spec.key)
        return {binding.host: binding.status for binding in found.bindings}


class Host:
    """A host. Guests are network namespaces, unless another hypervisor is named."""

    def __init__(self, networks: Networks, namespace: Namespace, directory: Path, name: str) -> None:
        directory.mkdir()
        self.networks, self.ns, self.name = networks, namespace, name
        self.engine = Engine(RealHost(), Journal(directory / "journal.db"), Locks(directory / "locks"))
        self._before = namespace.snapshot()

    def renew(self) -> None:
        """What is there now is what was there before."""
        self._before = self.ns.snapshot()

    def do(self, function: Callable[[], T]) -> T:
        """Calls a function on this host."""
        with self.entered():
            return self.ns.inside(function)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """This host's journal is the process's; for threads that enter the namespace themselves."""
        current.use(self.engine)
        try:
            yield
        finally:
            current.use(None)

    def parties(self, hypervisor: str = "netns") -> Parties:
        """The two sides, as a new process would load them."""
        return Parties(self.networks.driver(), drivers.load(drivers.HYPERVISORS, hypervisor), self.name)

    def attach(self, spec: AttachmentSpec, parties: Parties | None = None) -> Any:
        """See os_vif.lifecycle.attach()."""
        return self.do(lambda: lifecycle.attach(spec, parties or self.parties()))

    def detach(self, spec: AttachmentSpec, parties: Parties | None = None) -> None:
        """See os_vif.lifecycle.detach()."""
        self.do(lambda: lifecycle.detach(spec.key, parties or self.parties()))

    def attachments(self) -> dict[str, str]:
        """The phase of every attachment, by its key."""
        return {one.key: one.phase.value for one in self.do(lambda: Attachments.here().all())}

    def traces(self) -> list[str]:
        """What there is on it, in its journal and among its attachments, that was not there in the beginning."""
        records = [record.vif_id for record in self.do(lambda: list(self.engine.journal.records()))]
        return [*self.attachments(), *records, *differences(self._before, self.ns.snapshot())]


def guest(namespace: Namespace, number: int = 1, **changed: Any) -> AttachmentSpec:
    """An interface on the network "blue" for a namespace that is the guest."""
    fields = {"network": "blue", "hot": True} | changed
    return AttachmentSpec(Guest(f"vm{number}", ID.format(number), endpoint=namespace.name), **fields)
