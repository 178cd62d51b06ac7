# SPDX-License-Identifier: Apache-2.0
"""Hosts on the demo's stage: a network namespace each, with a state directory of its own, and a wire between two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from os_vif.cli.demo import guests

if TYPE_CHECKING:
    from os_vif.lifecycle import Attachment, AttachmentSpec, Parties
    from os_vif.lifecycle.attaching import Attached

T = TypeVar("T")

#: The host's interface at the end of the wire.
UPLINK = "up0"
NETWORK = "blue"

_STATE = Path("/run/os-vif-hosts")


class Host:
    """A host by name; guests on it are network namespaces."""

    def __init__(self, name: str) -> None:
        from os_vif.host.access.host import RealHost
        from os_vif.host.engine.engine import Engine
        from os_vif.host.journal.store import open_store

        self.name = name
        store = open_store(_STATE / name)
        self._engine = Engine(RealHost(), store.journal, store.locks)
        guests.run("ip", "netns", "add", name)

    def do(self, function: Callable[[], T]) -> T:
        """Calls a function on this host, as if it were run there."""
        from os_vif.host.kernel import namespaces
        from os_vif.plugging import current

        current.use(self._engine)
        try:
            return namespaces.inside(namespaces.DIRECTORY / self.name, function)
        finally:
            current.use(None)

    def parties(self) -> Parties:
        """The network side that both hosts share, and namespaces as guests."""
        from os_vif.lifecycle import Parties

        return Parties.load(network="local", hypervisor="netns", host=self.name)

    def attach(self, spec: AttachmentSpec) -> Attached:
        """`vif attach`."""
        from os_vif import lifecycle

        return self.do(lambda: lifecycle.attach(spec, self.parties()))

    def prepare(self, spec: AttachmentSpec) -> Attached:
        """`vif migrate prepare`."""
        from os_vif import lifecycle

        return self.do(lambda: lifecycle.prepare(spec, self.parties()))

    def activate(self, spec: AttachmentSpec) -> Attachment:
        """`vif migrate activate`."""
        from os_vif import lifecycle

        return self.do(lambda: lifecycle.activate(spec.key, self.parties()))

    def detach(self, spec: AttachmentSpec) -> None:
        """`vif detach`."""
        from os_vif import lifecycle

        self.do(lambda: lifecycle.detach(spec.key, self.parties()))

    def links(self) -> Sequence[str]:
        """The names of all its devices."""
        import socket

        return sorted(name for _, name in self.do(socket.if_nameindex))


def wire(one: Host, other: Host) -> None:
    """Connects two hosts."""
    ends = ("name", UPLINK, "netns", one.name, "type", "veth", "peer", "name", UPLINK, "netns", other.name)
    guests.run("ip", "link", "add", *ends)
    for host in (one, other):
        guests.run("ip", "-n", host.name, "link", "set", UPLINK, "up")
