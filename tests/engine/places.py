# SPDX-License-Identifier: Apache-2.0
"""Where the engine is proved: on a fake host, and on the kernel in a throwaway namespace."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.kinds import Kind
from os_vif.host.access.host import HostAccess, RealHost
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.executor import Observer
from os_vif.host.engine.garbage import Finding, GarbageCollector
from os_vif.host.journal.journal import Journal
from os_vif.host.journal.locks import Locks
from os_vif.host.kernel.addresses import is_link_local
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import NO_HOST_IP
from os_vif.testing import FakeHost, faults
from os_vif.testing.conformance import processes

Act = Callable[[Engine], object]


class Place:
    """A host and a state directory. Every engine() is a process that has just started."""

    def __init__(self, host: HostAccess, state: Path) -> None:
        self.host = host
        self.state = state
        state.mkdir(parents=True, exist_ok=True)

    def engine(self, observer: Observer | None = None, host: HostAccess | None = None) -> Engine:
        journal, locks = Journal(self.state / "journal.db"), Locks(self.state / "locks")
        return Engine(host or self.host, journal, locks, observer=observer)

    def prepare(self, kind: Kind) -> None:
        """Makes what somebody else has on the host."""
        self.host.run(kind.before, "")

    def steps(self, act: Act) -> int:
        """How many steps an act takes."""
        recorder = faults.Recorder()
        act(self.engine(recorder))
        return len(recorder.steps)

    def dies(self, act: Act, when: str, number: int) -> None:
        """A process does the act, and ends before or after its n-th step."""
        raise NotImplementedError

    def rows(self) -> dict[str, int]:
        """How many rows there are in each table of the journal."""
        with sqlite3.connect(self.state / "journal.db") as database:
            tables = ("vif", "holding", "use")
            found = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
        database.close()
        return found

    def collect_garbage(self) -> list[Finding]:
        """A process that starts, collects the garbage, orphans too, and says what it was; what it left is left out."""
        collector = self.collector()
        return [collector.remove(finding) for finding in collector.find(orphans=True) if not finding.left]

    def collector(self) -> GarbageCollector:
        """The garbage collector of a process that has just started."""
        return GarbageCollector(self.engine())

    def lose_journal(self) -> None:
        """The state directory is gone."""
        shutil.rmtree(self.state)
        self.state.mkdir()

    def look(self) -> dict[str, Any]:
        """All that can be seen, but for what the kernel makes up: indexes, and the MACs of bridges."""
        return {link.name: _look(self.host, link) for link in self.host.all_links()} | {"firewall": self.firewall()}

    def firewall(self) -> object:
        raise NotImplementedError


class FakePlace(Place):
    """In memory. A process ends by an exception that nothing handles."""

    host: FakeHost

    def __init__(self, state: Path) -> None:
        super().__init__(FakeHost(), state)

    def dies(self, act: Act, when: str, number: int) -> None:
        observer = faults.die_before(number) if when == "before" else faults.die_after(number)
        try:
            act(self.engine(observer))
        except faults.Died:
            return
        raise AssertionError(f"it did not come to step {number}")

    def firewall(self) -> object:
        return dict(self.host.chains)


class KernelPlace(Place):
    """In the network namespace of the calling thread. A process is a child, and ends by SIGKILL."""

    def __init__(self, state: Path) -> None:
        super().__init__(RealHost(), state)

    def dies(self, act: Act, when: str, number: int) -> None:
        observer = faults.kill_before(number) if when == "before" else faults.kill_after(number)
        status = in_child(lambda: act(self.engine(observer)))
        assert os.WIFSIGNALED(status), f"it did not come to step {number}: exit status {status}"
        assert os.WTERMSIG(status) == signal.SIGKILL

    def firewall(self) -> object:
        saved = subprocess.run(["iptables-save", "-t", "filter"], capture_output=True, text=True, check=True).stdout
        return [line for line in saved.splitlines() if "os-vif" in line]


def in_child(act: Callable[[], object]) -> int:
    """Does something in a child of this process, and returns how that ended, as waitpid() tells."""
    return os.waitpid(processes.start(act), 0)[1]


def _look(host: HostAccess, link: LinkInfo) -> dict[str, Any]:
    attributes = ("kind", "mtu", "up", "promiscuous", "group", "alias", "options")
    return {
        **{name: getattr(link, name) for name in attributes},
        "mac": "" if link.kind == "bridge" else link.mac,
        "master": _name(host, link.master),
        "below": _name(host, link.parent),
        "sysctls": {key: host.read_sysctl(link.name, *key.split("/")) for key in NO_HOST_IP},
        "addresses": [a["shown"] for a in host.addresses_of(link.index) if not is_link_local(a)],
        "routes": sorted(route["shown"] for route in host.routes_via(link.index)),
    }


def _name(host: HostAccess, index: int) -> str:
    link = host.get_link_by_index(index) if index else None
    return link.name if link else ""
