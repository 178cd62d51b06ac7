# SPDX-License-Identifier: Apache-2.0
"""Connections to SQLite databases: with the rights of another user, without writing anything, and waiting for them."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from os_vif import exception
from os_vif.host.journal.sqlite_errors import is_busy
from os_vif.host.journal.state_directory import StateDirectory
from os_vif.host.process import deadline, threads

#: Seconds for a call that has no deadline of its own.
_SECONDS = 60.0
_SHORTEST_WAIT, _LONGEST_WAIT = 0.001, 0.02


class OwnersConnection(sqlite3.Connection):
    """Whatever it opens or makes, it does with the rights of the directory's owner."""

    directory: ClassVar[StateDirectory]

    @classmethod
    def of(cls, directory: StateDirectory) -> type[OwnersConnection]:
        """Connections to files in a directory."""
        return type(cls.__name__, (cls,), {"directory": directory})

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        """See sqlite3.Connection."""
        with self.directory.rights():
            return super().execute(*arguments)

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        """See sqlite3.Connection."""
        with self.directory.rights():
            return super().executemany(*arguments)

    def close(self) -> None:
        """See sqlite3.Connection."""
        with self.directory.rights():
            super().close()


@contextlib.contextmanager
def read_only(directory: StateDirectory, name: str, error: sqlite3.Error | OSError) -> Iterator[sqlite3.Connection]:
    """A connection that writes nothing: not even the index of the log of changes, which others may lack the room for.

    It is good for one look: it may not notice what others write later. Raises ``error`` where there is no such way.
    """
    for options in ("mode=ro", "mode=ro&readonly_shm=1", "immutable=1"):
        if options == "immutable=1" and _has_log(directory, name):
            continue  # what is in the log would be left out
        with contextlib.closing(_connect(directory, name, options)) as database:
            try:
                database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            except sqlite3.OperationalError as other:
                if is_busy(other):
                    raise
                continue
            yield database
            return
    raise error


def _connect(directory: StateDirectory, name: str, options: str) -> sqlite3.Connection:
    address = f"{Path(directory.real_path(name)).as_uri()}?{options}"
    kind = OwnersConnection.of(directory) if directory.is_anothers else sqlite3.Connection
    with directory.rights():
        return sqlite3.connect(
            address, uri=True, timeout=0, isolation_level=None, check_same_thread=False, factory=kind
        )


def _has_log(directory: StateDirectory, name: str) -> bool:
    found = directory.check(f"{name}-wal")
    return found is not None and found.st_size > 0


class Wait:
    """The waiting of one call for one file: until the call's deadline, and no longer than the patience for files.

    The patience counts for all the waits of a call together, unless there is no end to it.
    """

    def __init__(self, path: str, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._pause = _SHORTEST_WAIT
        self._waited = 0.0
        self._deadline = deadline.current(_SECONDS)

    @contextlib.contextmanager
    def alone(self, mutex: threads.RLock) -> Iterator[None]:
        """Holds a mutex. Raises JournalBusy."""
        self.acquire(mutex)
        try:
            yield
        finally:
            mutex.release()

    def acquire(self, mutex: threads.RLock) -> None:
        """Acquires a mutex. Raises JournalBusy."""
        if mutex.acquire(blocking=False):
            return
        started = time.monotonic()
        got = mutex.acquire(timeout=self._remaining())
        self._count(time.monotonic() - started)
        if not got:
            raise self._busy("another thread of this process")

    def a_moment(self) -> None:
        """Gives another process time to finish. Raises JournalBusy."""
        pause = min(self._pause, self._remaining())
        if not pause:
            raise self._busy("another process")
        time.sleep(pause)
        self._count(pause)
        self._pause = min(self._pause * 2, _LONGEST_WAIT)

    def _count(self, seconds: float) -> None:
        self._waited += seconds
        if self._patience < math.inf:
            self._deadline.waited_for_files[0] += seconds

    def _remaining(self) -> float:
        patience = self._patience - self._deadline.waited_for_files[0]
        return max(0.0, min(self._deadline.remaining(), patience))

    def _busy(self, who: str) -> exception.JournalBusy:
        waited = max(self._waited, self._deadline.waited_for_files[0])
        error = exception.JournalBusy(path=self._path, seconds=f"{waited:.1f}", who=who)
        error.hint = f"`fuser -v {self._path}` shows who has it open."
        return error
