# SPDX-License-Identifier: Apache-2.0
"""The record of what is attached on this host, and of what was under way: beside the journal, one row each."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from os_vif import exception, plugging
from os_vif.host import store
from os_vif.host.deadline import Deadline
from os_vif.host.locks import Locks
from os_vif.hypervisors.driver import Guest
from os_vif.lifecycle.wanted import Wanted
from os_vif.negotiation.answer import Answer

if TYPE_CHECKING:
    from typing import Self

    from os_vif.lifecycle.sides import Sides

#: Seconds to wait for somebody else who is at work on the same interface.
PATIENCE = 60

_SET_ASIDE = (
    "Move the file away, with its -wal and -shm if they are there, and a new one is begun."
    " `vif list` shows what is plugged all the same, and `vif network ports` what is bound."
)

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attachment (
    key TEXT PRIMARY KEY, phase TEXT NOT NULL, changed REAL NOT NULL, record TEXT NOT NULL
) WITHOUT ROWID
"""


class Phase(StrEnum):
    """How far it has come. What a phase names may have been begun; what is before it is done."""

    BINDING = "binding"
    PLUGGING = "plugging"
    ATTACHING = "attaching"
    ACTIVATING = "activating"
    ACTIVE = "active"
    PREPARING = "preparing"
    PREPARED = "prepared"
    CUTTING_OVER = "cutting-over"
    DETACHING = "detaching"


#: Phases of a migration to here, and all others.
MIGRATING = (Phase.PREPARING, Phase.PREPARED, Phase.CUTTING_OVER)
ATTACHING = tuple(phase for phase in Phase if phase not in MIGRATING)


@dataclass(frozen=True)
class Attachment:
    """An interface of a guest on this host. ``answer`` is None until the network side has given one."""

    wanted: Wanted
    network_driver: str
    hypervisor: str
    host: str
    phase: Phase
    answer: Answer | None = None

    @classmethod
    def begin(cls, wanted: Wanted, sides: Sides, phase: Phase) -> Self:
        """Nothing is done yet."""
        return cls(wanted, sides.network.name, sides.hypervisor.name, sides.host, phase)

    @property
    def key(self) -> str:
        """See Wanted.key."""
        return self.wanted.key

    @property
    def bound(self) -> Answer:
        """The answer of the network side, once there is one."""
        assert self.answer is not None
        return self.answer


class Attachments:
    """The attachments of this process's state directory. Raises JournalError where the file cannot be used."""

    def __init__(self, path: Path | None) -> None:
        """``path`` of the file; with None they are forgotten when the process ends."""
        self.path = path
        self._locks = Locks(path.with_name("locks") if path else None)
        with self._explained():
            # Not one that is there: to close a file is to let go of the locks that SQLite has on it in this process.
            if path is not None and not path.exists():
                store.make_file(path)
            self._database = sqlite3.connect(
                path or ":memory:", isolation_level=None, timeout=30, check_same_thread=False
            )
            self._prepare()

    def _prepare(self) -> None:
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            reason = f"it was written by a newer os-vif (format {version}; the newest known here is {_VERSION})."
            raise exception.JournalError(path=self.path, reason=reason)
        if version < _VERSION:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute(_SCHEMA)
            self._database.execute(f"PRAGMA user_version = {_VERSION}")

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, OSError) as error:
            raise exception.JournalError(path=self.path, reason=f"{error}.") from error
        except (sqlite3.Error, exception.ObjectError, ValueError, LookupError, TypeError) as error:
            failure = exception.JournalError(path=self.path, reason=f"it is corrupt ({error!r}).")
            failure.hint = _SET_ASIDE
            raise failure from error

    @classmethod
    def here(cls) -> Self:
        """Those beside the journal that is in use. Raises JournalError."""
        path = _path()
        return cls._forgetful() if path is None else cls(path)

    @staticmethod
    def are_kept() -> bool:
        """Whether anything was ever attached here."""
        path = _path()
        return path is None or path.exists()

    @classmethod
    @functools.cache
    def _forgetful(cls) -> Self:
        return cls(None)

    @contextlib.contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Nobody else works on that attachment meanwhile. Raises DeadlineExceeded."""
        with self._locks.hold([f"attachment/{key}"], Deadline(PATIENCE)):
            yield

    def get(self, key: str) -> Attachment | None:
        """The attachment of that key."""
        rows = self._execute("SELECT record, phase FROM attachment WHERE key = ?", key)
        return self._read(rows)[0] if rows else None

    def required(self, key: str) -> Attachment:
        """The same. Raises NotAttached."""
        found = self.get(key)
        if found is None:
            uuid, _, interface = key.partition("/")
            raise exception.NotAttached(instance=uuid, network=interface)
        return found

    def all(self) -> list[Attachment]:
        """All of them, by the guest's name and their own."""
        rows = self._execute("SELECT record, phase FROM attachment")
        return sorted(self._read(rows), key=lambda found: (found.wanted.guest.name, found.key))

    def put(self, attachment: Attachment, phase: Phase | None = None, **changed: Any) -> Attachment:
        """Writes it down, as ``phase`` and with what has changed; returns it so."""
        new = dataclasses.replace(attachment, phase=phase or attachment.phase, **changed)
        values = (new.key, new.phase, time.time(), _written(new))
        self._execute("INSERT OR REPLACE INTO attachment VALUES (?, ?, ?, ?)", *values)
        return new

    def forget(self, key: str) -> None:
        """There is nothing of it any more."""
        self._execute("DELETE FROM attachment WHERE key = ?", key)

    def _read(self, rows: list[Any]) -> list[Attachment]:
        with self._explained():
            return [_read(*row) for row in rows]

    def _execute(self, statement: str, *values: Any) -> list[Any]:
        with self._explained():
            return self._database.execute(statement, values).fetchall()


def _path() -> Path | None:
    journal = plugging.engine().journal.home
    return Path(journal).with_name("attachments.db") if journal else None


def _written(attachment: Attachment) -> str:
    answer = attachment.answer
    values = {
        "wanted": dataclasses.asdict(attachment.wanted),
        "network_driver": attachment.network_driver,
        "hypervisor": attachment.hypervisor,
        "host": attachment.host,
        "answer": None if answer is None else answer.obj_to_primitive(),
    }
    return json.dumps(values)


def _read(text: str, phase: str) -> Attachment:
    values = json.loads(text)
    wanted = values.pop("wanted")
    wanted["ip_addresses"] = tuple(wanted["ip_addresses"])
    answer = values.pop("answer")
    return Attachment(
        wanted=Wanted(**{**wanted, "guest": Guest(**wanted["guest"])}),
        phase=Phase(phase),
        answer=None if answer is None else Answer.obj_from_primitive(answer),
        **values,
    )
