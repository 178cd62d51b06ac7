# SPDX-License-Identifier: Apache-2.0
"""What can be read of a journal that is damaged, or of a backup of one: every record with what its VIF holds.

SQLite gives up a table at the first page that it cannot read. Read from both ends, all but the rows of that page is
there (the tables are kept in the order of their keys).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from os_vif import exception
from os_vif.host.contract.plan import Holding
from os_vif.host.journal import journal
from os_vif.host.journal.journal import Record
from os_vif.host.journal.sqlite_connection import read_only
from os_vif.host.journal.state_directory import StateDirectory

_TABLES = {
    "vif": ("boot", "namespace", "vif_id"),
    "holding": ("boot", "namespace", "key"),
    "use": ("boot", "namespace", "vif_id", "position"),
}


@dataclass(frozen=True)
class Salvaged:
    """Records, oldest first, each with what is held for its VIF; ``problems`` say what could not be read, and why."""

    records: tuple[tuple[Record, tuple[Holding, ...]], ...] = ()
    problems: tuple[str, ...] = ()


def damage(path: Path) -> list[str]:
    """What is wrong with a database as such. Changes nothing."""
    try:
        missing = sqlite3.OperationalError("it cannot be opened")
        with read_only(StateDirectory(path.parent), path.name, missing) as database:
            return _integrity(database)
    except (sqlite3.Error, OSError, exception.UntrustedFile) as error:
        return [str(error)]


def read(path: Path) -> Salvaged:
    """Reads all that can be read. Changes nothing, and raises nothing."""
    problems: list[str] = []
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in _TABLES}
    try:
        missing = sqlite3.OperationalError("it cannot be opened")
        with read_only(StateDirectory(path.parent), path.name, missing) as database:
            database.text_factory = lambda text: text.decode(errors="replace")
            problems += _integrity(database)
            for name, keys in _TABLES.items():
                tables[name] = list(_rows(database, name, keys, problems))
    except (sqlite3.Error, OSError, exception.UntrustedFile) as error:
        problems.append(str(error))
    return Salvaged(tuple(_records(tables, problems)), tuple(dict.fromkeys(problems)))


def _integrity(database: sqlite3.Connection) -> list[str]:
    try:
        found = [str(row[0]) for row in database.execute("PRAGMA integrity_check(20)")]
    except sqlite3.Error as error:
        return [str(error)]
    return [] if found == ["ok"] else [" ".join(line.split()) for line in found]


def _rows(
    database: sqlite3.Connection, table: str, keys: Sequence[str], problems: list[str]
) -> Iterator[dict[str, Any]]:
    seen = set()
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{key} {direction}" for key in keys)
        try:
            cursor = database.execute(f"SELECT * FROM {table} ORDER BY {order}")
            names = [column[0] for column in cursor.description]
            for row in cursor:
                values = dict(zip(names, row, strict=True))
                identity = tuple(values[key] for key in keys)
                if identity not in seen:
                    seen.add(identity)
                    yield values
            return
        except sqlite3.Error as error:
            problems.append(f"table {table}: {error}")


def _records(
    tables: dict[str, list[dict[str, Any]]], problems: list[str]
) -> Iterator[tuple[Record, tuple[Holding, ...]]]:
    held: dict[tuple[Any, ...], Holding] = {}
    for row in tables["holding"]:
        try:
            held[row["boot"], row["namespace"], row["key"]] = journal.to_holding(row)
        except journal.NOT_AS_WRITTEN as error:
            problems.append(f"{row['key']}, as it is held, cannot be read: {error}")
    used: dict[tuple[Any, ...], list[Holding]] = {}
    for row in sorted(tables["use"], key=lambda row: row["position"]):
        holding = held.get((row["boot"], row["namespace"], row["key"]))
        if holding is not None:
            used.setdefault((row["boot"], row["namespace"], row["vif_id"]), []).append(holding)
    for row in sorted(tables["vif"], key=lambda row: str(row["changed"])):
        try:
            record = journal.to_record(row)
        except journal.NOT_AS_WRITTEN as error:
            problems.append(f"the record of VIF {row['vif_id']} cannot be read: {error}")
            continue
        yield record, tuple(used.get((record.scope.boot, record.scope.namespace, record.vif_id), ()))
