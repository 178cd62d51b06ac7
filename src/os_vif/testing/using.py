# SPDX-License-Identifier: Apache-2.0
"""Making os_vif use a fake host, and putting it back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import os_vif
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.executor import Observer
from os_vif.host.journal.journal import Journal
from os_vif.host.journal.locks import Locks
from os_vif.plugging import current
from os_vif.testing.fake.host import FakeHost


@contextlib.contextmanager
def fake_host(
    host: FakeHost | None = None, *, state: Path | None = None, observer: Observer | None = None
) -> Iterator[FakeHost]:
    """os_vif.plug() and all the rest work on a host in memory, with a journal in memory or below ``state``.

        with os_vif.testing.fake_host() as host:
            os_vif.plug(vif, instance)
            assert host.links["br0"].up

    The plugins are those that are installed; os_vif.initialize() is called. Give the same host and the same
    ``state`` again for a process that was restarted. Not to be used by two threads at a time, as it concerns the
    whole process; inside, threads may plug as they like.
    """
    host = host or FakeHost()
    engine = engine_on(host, state, observer)
    before = current.in_use()
    current.use(engine)
    os_vif.initialize()
    try:
        yield host
    finally:
        current.use(before)
        engine.journal.close()


def engine_on(host: FakeHost, state: Path | None = None, observer: Observer | None = None) -> Engine:
    """An engine on a fake host, as a process makes it when it starts."""
    if state is None:
        return Engine(host, Journal(":memory:"), Locks(None), observer=observer)
    state.mkdir(parents=True, exist_ok=True)
    return Engine(host, Journal(state / "journal.db"), Locks(state / "locks"), observer=observer)
