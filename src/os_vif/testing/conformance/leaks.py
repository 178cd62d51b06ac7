# SPDX-License-Identifier: Apache-2.0
"""A service plugs and unplugs for years."""

from __future__ import annotations

import os
import threading

import os_vif
from os_vif.testing.conformance.kit import Kit

_ROUNDS = 20


class Leaks(Kit):
    """After many rounds there is no more of anything than after a few."""

    def test_nothing_grows(self) -> None:
        """Neither open files, nor threads, nor records, nor devices."""
        before = self.snapshot()
        self._rounds(2)
        files, threads = _open_files(), threading.active_count()
        self._rounds(_ROUNDS)
        assert _open_files() <= files, "open files grow"
        assert threading.active_count() <= threads, "threads grow"
        assert list(os_vif.records()) == [], "records are left"
        self.expect(before, f"plugged and unplugged {_ROUNDS} times")
        assert [str(finding) for finding in os_vif.gc(dry_run=True)] == []

    def _rounds(self, count: int) -> None:
        for _ in range(count):
            self.plug()
            self.unplug()


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a path object would be one more thing to open
