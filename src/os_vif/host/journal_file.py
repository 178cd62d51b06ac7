# SPDX-License-Identifier: Apache-2.0
"""The file of the journal: one connection for all threads, and none across a fork.

SQLite keeps in memory which locks its process holds on a file. A forked child would inherit that, but not the locks:
it might write where nobody reads any more, or wait for ever for what a thread of its parent was writing. So whoever
forks closes the file before (https://www.sqlite.org/howtocorrupt.html, section 2.6).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

from os_vif import exception

_VERSION = 1
_SCHEMA = """
CREATE TABLE vif (
    boot TEXT NOT NULL, namespace TEXT NOT NULL, vif_id TEXT NOT NULL,
    plugin TEXT NOT NULL, context TEXT NOT NULL, status TEXT NOT NULL, generation INTEGER NOT NULL,
    request TEXT NOT NULL, desired TEXT NOT NULL, steps TEXT NOT NULL, changed REAL NOT NULL,
    PRIMARY KEY (boot, namespace, vif_id)
) WITHOUT ROWID;
CREATE TABLE holding (
    boot TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL,
    made INTEGER NOT NULL, prior TEXT NOT NULL, resource TEXT NOT NULL,
    PRIMARY KEY (boot, namespace, key)
) WITHOUT ROWID;
CREATE TABLE use (
    boot TEXT NOT NULL, namespace TEXT NOT NULL, vif_id TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL,
    PRIMARY KEY (boot, namespace, vif_id, position)
) WITHOUT ROWID;
CREATE INDEX vif_by_id ON vif (vif_id);
CREATE INDEX use_by_key ON use (boot, namespace, key);
"""

MEMORY = ":memory:"


class JournalFile:
    """A file, opened when it is first used; or ``MEMORY``. Raises JournalError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.mutex = threading.RLock()
        self._database: sqlite3.Connection | None = None
        _all.add(self)

    def close(self) -> None:
        """Closes it; the next use opens it again."""
        with self.mutex:
            if self._database is not None:
                self._database.close()
                self._database = None

    def __del__(self) -> None:
        if self._database is not None:
            self._database.close()

    def rows(self, query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self.mutex, _explained(self.path):
            return self._open().execute(query, values).fetchall()

    @contextlib.contextmanager
    def writing(self, *, durably: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction: all that is written in it, or nothing. ``durably``: it survives the loss of power."""
        with self.mutex, _explained(self.path):
            database = self._open()
            if durably:
                database.execute("PRAGMA synchronous = FULL")
            try:
                with _transaction(database):
                    yield database
            finally:
                if durably:
                    database.execute("PRAGMA synchronous = NORMAL")

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = _connect(self.path)
        return self._database


def _connect(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False, cached_statements=64)
    if path != MEMORY:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise sqlite3.NotSupportedError(f"it was written by a newer os-vif (format {version}, known is {_VERSION})")
    if version == 0:
        _create(database)
    return database


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _create(database: sqlite3.Connection) -> None:
    with _transaction(database):
        # Another process may have been first while this one waited.
        if database.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {_VERSION}")


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise exception.JournalError(path=path, reason=str(error)) from error


_all: weakref.WeakSet[JournalFile] = weakref.WeakSet()
_forking = threading.Lock()
_while_forking = contextlib.ExitStack()


def _before_fork() -> None:
    """Waits until no thread is at any file, and keeps them away."""
    _forking.acquire()
    for file in list(_all):
        _while_forking.enter_context(file.mutex)
        if file.path != MEMORY:
            file.close()


def _after_fork() -> None:
    _while_forking.close()
    _forking.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
