# SPDX-License-Identifier: Apache-2.0
"""The file that holds networks, ports and bindings: one SQLite database in WAL mode, for many threads and processes.

Whoever writes does so alone, from the first look to the last row: what it found free is free until it is taken. What
was answered survives the loss of power: a guest may use its address long after.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from os_vif import exception
from os_vif.host.journal.sqlite_file import Schema, SqliteFile, decoded

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


_HINT_IF_NEWER = "Upgrade os-vif on this host, or name another file in [os_vif_network_local] database."


class Database:
    """Raises NetworkUnavailable where the file cannot be used. Threads may share it; a forked child opens it anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Who writes may be starting a DHCP server meanwhile: all of a call may be spent waiting for that.
        self._file = SqliteFile(
            path,
            Schema(_VERSION, _SCHEMA),
            patience=math.inf,
            durable=True,
            long=True,
            row_factory=sqlite3.Row,
            text_factory=decoded,
        )

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """All that is read inside was so at one moment."""
        with _explained(), self._file.reading() as connection:
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Nobody else writes meanwhile. All of it is written, or nothing when an exception leaves the block."""
        with _explained(), self._file.writing() as connection:
            yield connection

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        self._file.close()


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except exception.JournalError as error:
        known = error.kwargs
        reason = f"{known['path']}: {known['reason']}" if type(error) is exception.JournalError else str(error)
        failure = exception.NetworkUnavailable(driver="local", reason=reason)
        failure.hint = _HINT_IF_NEWER if "version" in known else error.hint
        raise failure from error
