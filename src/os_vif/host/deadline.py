# SPDX-License-Identifier: Apache-2.0
"""Deadlines: every wait has one."""

from __future__ import annotations

import time

from os_vif import exception


class Deadline:
    """A moment, ``seconds`` from now, after which waiting ends."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left; 0 when there are none."""
        return max(0.0, self._end - time.monotonic())

    def check(self, what: str) -> None:
        """Raises DeadlineExceeded when no time is left."""
        if not self.remaining():
            raise exception.DeadlineExceeded(seconds=f"{self.seconds:g}", what=what)
