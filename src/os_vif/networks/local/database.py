# SPDX-License-Identifier: Apache-2.0
"""The file that holds networks, ports and bindings: one SQLite database in WAL mode, for many threads and processes.

Whoever writes does so alone, from the first look to the last row: what it found free is free until it is taken. What
was answered survives the loss of power: a guest may use its address long after.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from os_vif import exception

#: Seconds to wait for another process that writes.
PATIENCE = 60

_VERSION = 1
_SCHEMA = """
CREATE TABLE network (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, switch TEXT NOT NULL, bridge TEXT NOT NULL UNIQUE,
    mtu INTEGER NOT NULL, uplink TEXT, vlan INTEGER, dhcp INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE subnet (
    id INTEGER PRIMARY KEY, network_id TEXT NOT NULL REFERENCES network (id) ON DELETE CASCADE,
    cidr TEXT NOT NULL, gateway TEXT, first TEXT NOT NULL, last TEXT NOT NULL, dhcp_server TEXT, latest TEXT
);
CREATE TABLE port (
    id TEXT PRIMARY KEY, network_id TEXT NOT NULL REFERENCES network (id), key TEXT NOT NULL UNIQUE,
    mac TEXT NOT NULL, generation INTEGER NOT NULL, UNIQUE (network_id, mac)
) WITHOUT ROWID;
CREATE TABLE address (
    network_id TEXT NOT NULL REFERENCES network (id) ON DELETE CASCADE, address TEXT NOT NULL,
    port_id TEXT REFERENCES port (id) ON DELETE CASCADE, position INTEGER NOT NULL,
    PRIMARY KEY (network_id, address)
) WITHOUT ROWID;
CREATE TABLE binding (
    port_id TEXT NOT NULL REFERENCES port (id) ON DELETE CASCADE, host TEXT NOT NULL,
    status TEXT NOT NULL, generation INTEGER NOT NULL, choice TEXT NOT NULL, request TEXT NOT NULL,
    answer TEXT NOT NULL, lapses_at REAL, PRIMARY KEY (port_id, host)
) WITHOUT ROWID;
CREATE INDEX port_of_network ON port (network_id);
CREATE INDEX address_of_port ON address (port_id);
"""


class Database:
    """Raises NetworkUnavailable where the file cannot be used. Threads may share it; a forked child opens it anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mutex = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._parents: list[sqlite3.Connection] = []

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """All that is read inside was so at one moment."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Nobody else writes meanwhile. All of it is written, or nothing when an exception leaves the block."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def __del__(self, process: Callable[[], int] = os.getpid) -> None:
        # Not in a forked child: the file's locks are its parent's. The function is kept here because the module it is
        # from may be gone by now, when the interpreter ends.
        if self._connection is not None and self._process == process():
            self._connection.close()

    @contextlib.contextmanager
    def _transaction(self, beginning: str) -> Iterator[sqlite3.Connection]:
        with self._mutex, self._explained():
            connection = self._open()
            connection.execute(beginning)
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise exception.NetworkUnavailable(driver="local", reason=f"{self.path}: {error}.") from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._process != os.getpid():
            self._parents.append(self._connection)  # not closed here: the file's locks are the parent's
            self._connection = None
        if self._connection is None:
            self._connection = _connect(self.path)
            self._process = os.getpid()
        return self._connection


def _connect(path: Path) -> sqlite3.Connection:
    _make(path)
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > _VERSION:
        raise _newer(path, version)
    if version == 0:
        _create(connection)


def _make(path: Path) -> None:
    """What root makes belongs to the owner of the directory, who is to open it as well."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been first while this one waited.
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")


def _newer(path: Path, version: int) -> exception.NetworkUnavailable:
    reason = f"{path} was written by a newer os-vif (format {version}; the newest known here is {_VERSION})."
    error = exception.NetworkUnavailable(driver="local", reason=reason)
    error.hint = "Upgrade os-vif on this host, or name another file in [os_vif_network_local] database."
    return error
