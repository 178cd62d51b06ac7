# SPDX-License-Identifier: Apache-2.0
"""The journal: what is plugged on this host, what was under way, and what was there before.

One SQLite file in WAL mode. Rows are scoped by boot and by network namespace, because what is in the kernel is:
one state directory serves several namespaces, and a record of an earlier boot is a wish (`vif restore`), not a fact.

The intent to change a host is written before the change, its completion after. Both survive the death of the
process at once, and the loss of power when the kernel has written its buffers back (seconds): devices do not survive
that anyway. Who changes what does survive it asks for ``durably``.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host import state
from os_vif.host.contract.plan import Holding
from os_vif.host.journal import prior
from os_vif.host.journal.tables import MEMORY, JournalFile
from os_vif.host.state import Unavailable

LOG = logger(__name__)

PLUGGING, PLUGGED, UNPLUGGING = "plugging", "plugged", "unplugging"


@dataclass(frozen=True)
class Scope:
    """Where a record holds: one network namespace, from one boot to the next."""

    boot: str
    namespace: str


@dataclass(frozen=True)
class Record:
    """What the journal knows of a VIF.

    ``request`` is the VIF and the instance as received (JSON); ``desired`` the resources stated for it (JSON);
    ``context`` names the privileged helper of its plugin;
    ``generation`` grows with every change; ``changed`` is in seconds since the epoch.
    """

    vif_id: str
    plugin: str
    context: str
    status: str
    generation: int
    request: str
    desired: str
    steps: str
    changed: float
    scope: Scope


_FIELDS = ("vif_id", "plugin", "context", "status", "generation", "request", "desired", "steps", "changed")
_COLUMNS = ", ".join((*_FIELDS, "boot", "namespace"))
_KINDS = (str, str, str, str, int, str, str, str, float, str, str)

#: What comes of reading a row that is not as it was written, or was written by who knows more.
NOT_AS_WRITTEN = (exception.HostError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Damaged:
    """A row that cannot be read: of which VIF, where it holds, and why. ``key`` of what is held, if it is that."""

    vif_id: str
    scope: Scope
    error: exception.RecordDamaged
    key: str = ""


@dataclass(frozen=True)
class Stranded:
    """What a VIF uses, "" for none any more, and nobody here knows how to look at or remove."""

    vif_id: str
    scope: Scope
    resource: Unavailable


class Journal:
    """A journal. Threads may share it, and forked children. Raises JournalError."""

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        self._file = JournalFile(self.path)

    @property
    def identity(self) -> str:
        """The path of the file, the same whoever asks; "" for a journal in memory."""
        return "" if self.path == MEMORY else os.path.realpath(self.path)

    def probe(self) -> None:
        """Raises JournalError where it cannot be read."""
        self._file.rows("SELECT count(*) FROM sqlite_schema")

    def record(self, scope: Scope, vif_id: str) -> Record | None:
        """The record of a VIF, or None; also for one that cannot be read, with a warning: a plug writes it anew."""
        query = f"SELECT {_COLUMNS} FROM vif WHERE boot = ? AND namespace = ? AND vif_id = ?"
        for row in self._file.rows(query, (scope.boot, scope.namespace, vif_id)):
            try:
                return _to_record(row)
            except NOT_AS_WRITTEN as error:
                self._warn(f"The record of VIF {vif_id}", error)
        return None

    def records(self) -> list[Record]:
        """All records that can be read, of all boots and namespaces, oldest first; a warning tells of the others."""
        readable, damaged = self.sorted_out()
        for one in damaged:
            LOG.warning("%s %s", one.error, one.error.hint)
        return readable

    def sorted_out(self) -> tuple[list[Record], list[Damaged]]:
        """All records that can be read, and those that cannot."""
        readable, damaged = [], []
        for row in self._file.rows(f"SELECT {_COLUMNS} FROM vif ORDER BY changed"):
            try:
                record = _to_record(row)
                _check_texts(record)
                readable.append(record)
            except NOT_AS_WRITTEN as error:
                vif_id, scope = str(row[0]), Scope(str(row[-2]), str(row[-1]))
                damaged.append(Damaged(vif_id, scope, self._damage(f"The record of VIF {vif_id}", error)))
        return readable, damaged

    def vif_ids(self) -> set[str]:
        """The ids of all VIFs that are recorded, of all boots and namespaces, also where a record cannot be read."""
        return {str(row[0]) for row in self._file.rows("SELECT vif_id FROM vif")}

    def holdings(self, scope: Scope, vif_id: str) -> list[Holding]:
        """The resources that a VIF uses, in the order in which they were made; a warning tells of unreadable ones."""
        query = (
            "SELECT key, resource, made, prior FROM use JOIN holding USING (boot, namespace, key)"
            " WHERE use.boot = ? AND use.namespace = ? AND use.vif_id = ? ORDER BY position"
        )
        return self._readable(self._file.rows(query, (scope.boot, scope.namespace, vif_id)))

    def keys(self, scope: Scope, vif_id: str) -> list[str]:
        """The keys of the resources that a VIF uses."""
        query = "SELECT key FROM use WHERE boot = ? AND namespace = ? AND vif_id = ?"
        return [row[0] for row in self._file.rows(query, (scope.boot, scope.namespace, vif_id))]

    def holding(self, scope: Scope, key: str) -> Holding | None:
        """What is held under a key, whoever uses it, or None; None, and a warning, also where that cannot be read."""
        query = "SELECT key, resource, made, prior FROM holding WHERE boot = ? AND namespace = ? AND key = ?"
        return next(iter(self._readable(self._file.rows(query, (scope.boot, scope.namespace, key)))), None)

    def is_held(self, scope: Scope, key: str) -> bool:
        """Whether anything is held under a key, whether that can be read or not."""
        query = "SELECT 1 FROM holding WHERE boot = ? AND namespace = ? AND key = ?"
        return bool(self._file.rows(query, (scope.boot, scope.namespace, key)))

    def unused(self, scope: Scope) -> list[Holding]:
        """What is held although no VIF uses it any more."""
        query = (
            "SELECT key, resource, made, prior FROM holding AS h WHERE boot = ? AND namespace = ? AND NOT EXISTS"
            " (SELECT 1 FROM use WHERE use.boot = h.boot AND use.namespace = h.namespace AND use.key = h.key)"
        )
        return self._readable(self._file.rows(query, (scope.boot, scope.namespace)))

    def stranded(self, boot: str) -> list[Stranded]:
        """What is held and of a backend that cannot be used here, for each of the VIFs that use it; "" for none.

        In any namespace. What no VIF uses is told of the present boot only: the next one has taken it from the host.
        """
        query = (
            "SELECT key, resource, made, prior, coalesce(vif_id, ''), boot, namespace FROM holding"
            " LEFT JOIN use USING (boot, namespace, key) WHERE boot = ? OR vif_id IS NOT NULL ORDER BY key"
        )
        found = []
        for row in self._file.rows(query, (boot,)):
            held = self._readable([row]) if state.is_of_stranger(row[1]) else ()
            resources = (one.resource for one in held)
            found += [Stranded(str(row[4]), Scope(*row[5:]), r) for r in resources if isinstance(r, Unavailable)]
        return found

    def damaged_holdings(self) -> list[Damaged]:
        """What is held and cannot be read, for each of the VIFs that use it; "" for what none uses."""
        query = (
            "SELECT key, resource, made, prior, coalesce(vif_id, ''), boot, namespace"
            " FROM holding LEFT JOIN use USING (boot, namespace, key) ORDER BY key"
        )
        damaged = []
        for row in self._file.rows(query):
            try:
                _to_holding(row)
            except NOT_AS_WRITTEN as error:
                scope = Scope(str(row[5]), str(row[6]))
                damaged.append(Damaged(str(row[4]), scope, self._damage(f"What is held of {row[0]}", error), row[0]))
        return damaged

    def _readable(self, rows: Sequence[tuple[Any, ...]]) -> list[Holding]:
        found = []
        for row in rows:
            try:
                found.append(_to_holding(row))
            except NOT_AS_WRITTEN as error:
                self._warn(f"What is held of {row[0]}", error)
        return found

    def _warn(self, what: str, error: Exception) -> None:
        damage = self._damage(what, error)
        LOG.warning("%s It is taken for not recorded. %s", damage, damage.hint)

    def _damage(self, what: str, error: Exception) -> exception.RecordDamaged:
        reason = str(error) if isinstance(error, exception.ExceptionBase) else f"{error!r}."
        return exception.RecordDamaged(what=what, path=self.path, reason=reason)

    def users(self, scope: Scope, key: str) -> set[str]:
        """The ids of the VIFs that use a resource."""
        query = "SELECT vif_id FROM use WHERE boot = ? AND namespace = ? AND key = ?"
        return {row[0] for row in self._file.rows(query, (scope.boot, scope.namespace, key))}

    def write(self, records: Sequence[tuple[Record, Sequence[Holding]]], *, durably: bool = False) -> None:
        """Writes records and all that their VIFs hold, in one transaction."""
        with self._file.writing(durably=durably) as database:
            for record, holdings in records:
                _write_record(database, record, holdings)

    def finish(
        self,
        scope: Scope,
        vif_ids: Sequence[str],
        dropped: Iterable[tuple[str, str]],
        released: Iterable[str],
        made: Iterable[Holding] = (),
    ) -> None:
        """Marks VIFs as plugged. ``dropped`` are the (VIF id, key) that are used no more, ``released`` what is gone.

        ``made``: what is known of what was made, now that it is there.
        """
        with self._file.writing() as database:
            for vif_id in vif_ids:
                database.execute(
                    "UPDATE vif SET status = ?, steps = '[]', changed = ?"
                    " WHERE boot = ? AND namespace = ? AND vif_id = ?",
                    (PLUGGED, time.time(), scope.boot, scope.namespace, vif_id),
                )
                _forget_earlier_boots(database, scope, vif_id)
            database.executemany(
                "DELETE FROM use WHERE boot = ? AND namespace = ? AND vif_id = ? AND key = ?",
                [(scope.boot, scope.namespace, vif_id, key) for vif_id, key in dropped],
            )
            database.executemany(
                "UPDATE holding SET prior = ? WHERE boot = ? AND namespace = ? AND key = ?",
                [(json.dumps(h.prior), scope.boot, scope.namespace, h.resource.key) for h in made],
            )
            _forget_holdings(database, scope, released)

    def forget(self, scope: Scope, vif_id: str, released: Iterable[str], *, for_good: bool = False) -> None:
        """Forgets a VIF, and of the resources it used those in ``released``; ``for_good``, it is not restored."""
        with self._file.writing() as database:
            _forget_vif(database, scope, vif_id, for_good=for_good)
            _forget_holdings(database, scope, released)

    def forget_all(self, scope: Scope, vif_ids: Iterable[str], released: Iterable[str]) -> None:
        """Forgets VIFs for good, and of the resources they used those in ``released``, in one transaction."""
        with self._file.writing() as database:
            for vif_id in vif_ids:
                _forget_vif(database, scope, vif_id, for_good=True)
            _forget_holdings(database, scope, released)

    def close(self) -> None:
        """Closes the file; the next use opens it again."""
        self._file.close()


def _write_record(database: sqlite3.Connection, record: Record, holdings: Sequence[Holding]) -> None:
    place = (record.scope.boot, record.scope.namespace)
    if record.status == PLUGGED:
        _forget_earlier_boots(database, record.scope, record.vif_id)
    database.execute(
        f"INSERT OR REPLACE INTO vif ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            record.vif_id,
            record.plugin,
            record.context,
            record.status,
            record.generation,
            record.request,
            record.desired,
            record.steps,
            record.changed,
            *place,
        ),
    )
    database.execute("DELETE FROM use WHERE boot = ? AND namespace = ? AND vif_id = ?", (*place, record.vif_id))
    database.executemany(
        "INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?, ?, ?)",
        [(*place, h.resource.key, int(h.made), json.dumps(h.prior), _resource_text(h)) for h in holdings],
    )
    database.executemany(
        "INSERT INTO use VALUES (?, ?, ?, ?, ?)",
        [(*place, record.vif_id, position, h.resource.key) for position, h in enumerate(holdings)],
    )


def _forget_vif(database: sqlite3.Connection, scope: Scope, vif_id: str, *, for_good: bool) -> None:
    place = (scope.boot, scope.namespace, vif_id)
    database.execute("DELETE FROM vif WHERE boot = ? AND namespace = ? AND vif_id = ?", place)
    database.execute("DELETE FROM use WHERE boot = ? AND namespace = ? AND vif_id = ?", place)
    if for_good:
        _forget_earlier_boots(database, scope, vif_id)


def _forget_earlier_boots(database: sqlite3.Connection, scope: Scope, vif_id: str) -> None:
    """What was to be restored is plugged again, or not wanted any more."""
    place = (scope.boot, scope.namespace, vif_id)
    gone = database.execute("DELETE FROM vif WHERE boot != ? AND namespace = ? AND vif_id = ?", place).rowcount
    if gone:
        database.execute("DELETE FROM use WHERE boot != ? AND namespace = ? AND vif_id = ?", place)
        database.execute(
            "DELETE FROM holding WHERE boot != ? AND namespace = ? AND NOT EXISTS (SELECT 1 FROM use WHERE"
            " use.boot = holding.boot AND use.namespace = holding.namespace AND use.key = holding.key)",
            place[:2],
        )


def _forget_holdings(database: sqlite3.Connection, scope: Scope, keys: Iterable[str]) -> None:
    places = [(scope.boot, scope.namespace, key) for key in keys]
    database.executemany("DELETE FROM holding WHERE boot = ? AND namespace = ? AND key = ?", places)
    database.executemany("DELETE FROM use WHERE boot = ? AND namespace = ? AND key = ?", places)


def _resource_text(holding: Holding) -> str:
    return json.dumps(state.to_primitive(holding.resource))


def to_record(values: Mapping[str, Any]) -> Record:
    """From a row, by the names of its columns. Raises one of NOT_AS_WRITTEN."""
    record = _to_record(tuple(values[name] for name in (*_FIELDS, "boot", "namespace")))
    _check_texts(record)
    return record


def to_holding(values: Mapping[str, Any]) -> Holding:
    """The same for what is held."""
    return _to_holding(tuple(values[name] for name in ("key", "resource", "made", "prior")))


def _to_holding(row: tuple[Any, ...]) -> Holding:
    """From its key, resource, whether it was made, and what was there before."""
    before = json.loads(row[3])
    prior.check(before)
    return Holding(state.from_primitive(json.loads(row[1])), bool(row[2]), before)


def _to_record(row: tuple[Any, ...]) -> Record:
    for name, kind, value in zip((*_FIELDS, "boot", "namespace"), _KINDS, row, strict=True):
        if type(value) is not kind:
            raise TypeError(f"{name} is {value!r}")
    return Record(**dict(zip(_FIELDS, row, strict=False)), scope=Scope(*row[len(_FIELDS) :]))


def _check_texts(record: Record) -> None:
    """What is written in them is left to who needs it; that they can be taken apart is not."""
    for name, kind in (("request", dict), ("desired", list), ("steps", list)):
        value = json.loads(getattr(record, name))
        if not isinstance(value, kind):
            raise TypeError(f"{name} is {value!r}")
    if record.status not in (PLUGGING, PLUGGED, UNPLUGGING):
        raise ValueError(f"status is {record.status!r}")
