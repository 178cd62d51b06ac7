# SPDX-License-Identifier: Apache-2.0
"""Where the demo cannot be played: a host in memory, on which the plans can be made all the same."""

from __future__ import annotations

from os_vif.host.engine.engine import Engine
from os_vif.host.journal.journal import Journal
from os_vif.host.journal.locks import Locks
from os_vif.plugging import current
from os_vif.testing.fake.host import FakeHost


def use_imagined_host() -> None:
    """From now on the library works on a host in memory, with nothing on it."""
    current.use(Engine(FakeHost(), Journal(":memory:"), Locks(None)))
