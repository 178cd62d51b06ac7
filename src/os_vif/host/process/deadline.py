# SPDX-License-Identifier: Apache-2.0
"""Deadlines: every wait has one, and all waits of one call have the same."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar

from os_vif import exception


class Deadline:
    """A moment, ``seconds`` from now, after which waiting ends."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        #: Seconds for which files were waited for so far, in the whole call: see SqliteFile.
        self.waited_for_files = [0.0]

    def remaining(self) -> float:
        """Seconds left; 0 when there are none."""
        return max(0.0, self._end - time.monotonic())

    def check(self, what: str) -> None:
        """Raises DeadlineExceeded when no time is left."""
        if not self.remaining():
            raise exception.DeadlineExceeded(seconds=f"{self.seconds:g}", what=what)


_of_call: ContextVar[Deadline | None] = ContextVar("deadline of the call under way", default=None)


@contextlib.contextmanager
def of_call(seconds: float) -> Iterator[Deadline]:
    """The deadline of the call under way: ``seconds`` from now, or sooner where it is part of one that ends sooner."""
    outer = _of_call.get()
    if outer is not None and outer.remaining() <= seconds:
        yield outer
        return
    new = Deadline(seconds)
    if outer is not None:
        new.waited_for_files = outer.waited_for_files
    token = _of_call.set(new)
    try:
        yield new
    finally:
        _of_call.reset(token)


def current(seconds: float) -> Deadline:
    """The deadline of the call under way, or where there is none, one ``seconds`` from now."""
    return _of_call.get() or Deadline(seconds)
