# SPDX-License-Identifier: Apache-2.0
"""A hypervisor starts many guests at once, and is not the only process to do so."""

from __future__ import annotations

import pytest

import os_vif
from os_vif.testing.conformance.kit import Kit
from os_vif.testing.conformance.processes import in_threads, start, wait

_THREADS = 8


class Concurrency(Kit):
    """Threads and processes at the same time."""

    def test_threads_with_vifs_of_their_own(self) -> None:
        """Each plugs and unplugs its own VIF: no errors, nothing left."""
        before = self.snapshot()
        assert in_threads(_THREADS, self._back_and_forth) == []
        self.expect(before, f"plugged and unplugged by {_THREADS} threads")
        assert list(os_vif.records()) == []

    def test_threads_with_the_same_vif(self) -> None:
        """All plug the same VIF, then all unplug it: as if it had been one."""
        before = self.snapshot()
        self.plug()
        plugged = self.snapshot()
        self.unplug()
        assert in_threads(_THREADS, lambda _: self.plug()) == []
        self.expect(plugged, f"plugged by {_THREADS} threads")
        assert in_threads(_THREADS, lambda _: self.unplug()) == []
        self.expect(before, f"unplugged by {_THREADS} threads")

    def test_two_processes(self) -> None:
        """Two processes with the same VIFs: no errors, nothing left."""
        if self.host:
            pytest.skip("a fake host is in the memory of one process")
        before = self.snapshot()
        children = [start(self._a_process) for _ in range(2)]
        assert [wait(child) for child in children] == [0, 0]
        self.expect(before, "plugged and unplugged by two processes")
        self.restart()
        assert list(os_vif.records()) == []

    def _back_and_forth(self, number: int) -> None:
        self.plug(number)
        self.unplug(number)

    def _a_process(self) -> None:
        self.restart()
        for number in (1, 2, 1, 2):
            self._back_and_forth(number)
