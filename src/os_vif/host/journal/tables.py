# SPDX-License-Identifier: Apache-2.0
"""The file of the journal: its tables."""

from __future__ import annotations

from pathlib import Path

from os_vif.host.journal.sqlite_file import MEMORY, Schema, SqliteFile

__all__ = ["MEMORY", "JournalFile"]

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

_HINT_IF_DAMAGED = (
    "`vif journal verify` shows what can be read, and `vif journal rebuild` begins it anew from what is known."
    " VIFs can be unplugged meanwhile, by the marks on what was made for them."
)


class JournalFile(SqliteFile):
    """A file, opened when it is first used; or ``MEMORY``. Raises JournalError."""

    def __init__(self, path: Path | str) -> None:
        super().__init__(path, Schema(_VERSION, _SCHEMA), hint_if_damaged=_HINT_IF_DAMAGED)
