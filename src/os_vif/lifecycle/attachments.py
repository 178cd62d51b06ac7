# SPDX-License-Identifier: Apache-2.0
"""The record of what is attached on this host, and of what was under way: beside the journal, one row each."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.foreign import Reader, parse_json
from os_vif.host.journal.locks import Locks
from os_vif.host.journal.sqlite_file import MEMORY, Schema, SqliteFile
from os_vif.host.process import deadline
from os_vif.host.process.deadline import Deadline
from os_vif.hypervisors.driver import Guest
from os_vif.lifecycle.spec import AttachmentSpec
from os_vif.negotiation.answer import Answer
from os_vif.plugging import current

if TYPE_CHECKING:
    from typing import Self

LOG = logger(__name__)

#: Seconds that a whole call may take, and how many of them it may wait for who is at work on the same interface.
_SECONDS, PATIENCE = 120, 60

_SCHEMA = Schema(
    1,
    """
CREATE TABLE attachment (
    key TEXT PRIMARY KEY, phase TEXT NOT NULL, changed REAL NOT NULL, record TEXT NOT NULL
) WITHOUT ROWID
""",
)
_HINT_IF_DAMAGED = (
    "Move the file away, with its -wal and -shm if they are there, and a new one is begun."
    " `vif list` shows what is plugged all the same, and `vif network ports` what is bound."
)


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

    spec: AttachmentSpec
    network_driver: str
    hypervisor: str
    host: str
    phase: Phase
    answer: Answer | None = None

    @property
    def key(self) -> str:
        """See Wanted.key."""
        return self.spec.key

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
        self._file = SqliteFile(path or MEMORY, _SCHEMA, hint_if_damaged=_HINT_IF_DAMAGED)

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
    def alone(self, key: str, *, in_any_case: bool = False) -> Iterator[None]:
        """Nobody else works on that attachment meanwhile: one call, with one deadline.

        See Locks for ``in_any_case``. Raises DeadlineExceeded, JournalError.
        """
        names = [f"attachment/{key}"]
        with deadline.of_call(_SECONDS), self._locks.hold(names, Deadline(PATIENCE), in_any_case=in_any_case):
            yield

    def get(self, key: str) -> Attachment | None:
        """The attachment of that key. Raises RecordDamaged."""
        rows = self._file.rows("SELECT key, record, phase FROM attachment WHERE key = ?", (key,))
        return self._read(*rows[0]) if rows else None

    def required(self, key: str) -> Attachment:
        """The same. Raises NotAttached."""
        found = self.get(key)
        if found is None:
            uuid, _, interface = key.partition("/")
            raise exception.NotAttached(instance=uuid, network=interface)
        return found

    def all(self) -> list[Attachment]:
        """All that can be read, by the guest's name and their own; a warning tells of the others."""
        readable, damaged = self.sorted_out()
        for error in damaged.values():
            LOG.warning("%s %s", error, error.hint)
        return readable

    def sorted_out(self) -> tuple[list[Attachment], dict[str, exception.RecordDamaged]]:
        """All that can be read, and why the others cannot, by their keys."""
        readable, damaged = [], {}
        for row in self._file.rows("SELECT key, record, phase FROM attachment"):
            try:
                readable.append(self._read(*row))
            except exception.RecordDamaged as error:
                damaged[str(row[0])] = error
        return sorted(readable, key=lambda found: (found.spec.guest.name, found.key)), damaged

    def put(self, attachment: Attachment, phase: Phase | None = None, **changed: Any) -> Attachment:
        """Writes it down, as ``phase`` and with what has changed; returns it so."""
        new = dataclasses.replace(attachment, phase=phase or attachment.phase, **changed)
        values = (new.key, new.phase, time.time(), _written(new))
        with self._file.writing() as database:
            database.execute("INSERT OR REPLACE INTO attachment VALUES (?, ?, ?, ?)", values)
        return new

    def forget(self, key: str) -> None:
        """There is nothing of it any more."""
        with self._file.writing() as database:
            database.execute("DELETE FROM attachment WHERE key = ?", (key,))

    def _read(self, key: str, text: str, phase: str) -> Attachment:
        try:
            return _read(text, phase)
        except (exception.ObjectError, exception.MalformedData, ValueError, TypeError) as error:
            uuid, _, interface = str(key).partition("/")
            failure = exception.RecordDamaged(
                what=f"The record of interface {interface} of guest {uuid}", path=self.path, reason=f"{error!r}."
            )
            failure.hint = (
                "`vif list` shows what is plugged all the same, and `vif network ports` what is bound."
                f" `vif detach --force {shlex.quote(uuid)} --as {shlex.quote(interface)}` forgets the record."
            )
            raise failure from error


def _path() -> Path | None:
    journal = current.engine().journal.identity
    return Path(journal).with_name("attachments.db") if journal else None


def _written(attachment: Attachment) -> str:
    answer = attachment.answer
    values = {
        "wanted": dataclasses.asdict(attachment.spec),
        "network_driver": attachment.network_driver,
        "hypervisor": attachment.hypervisor,
        "host": attachment.host,
        "answer": None if answer is None else answer.obj_to_primitive(),
    }
    return json.dumps(values)


def _read(text: str, phase: str) -> Attachment:
    row = Reader(parse_json(text), "record")
    answer = row.pick("answer", dict, None)
    return Attachment(
        spec=_spec(row.inner("wanted")),
        network_driver=row.pick("network_driver", str),
        hypervisor=row.pick("hypervisor", str),
        host=row.pick("host", str),
        phase=Phase(phase),
        answer=None if answer is None else Answer.obj_from_primitive(answer),
    )


def _spec(wanted: Reader) -> AttachmentSpec:
    return AttachmentSpec(
        guest=_guest(wanted.inner("guest")),
        network=wanted.pick("network", str, ""),
        port_id=wanted.pick("port_id", str, None),
        name=wanted.pick("name", str, ""),
        hot=wanted.pick("hot", bool, default=False),
        vnic_type=wanted.pick("vnic_type", str, "normal"),
        mac_address=wanted.pick("mac_address", str, None),
        ip_addresses=tuple(wanted.list_of("ip_addresses", str)),
    )


def _guest(row: Reader) -> Guest:
    options = row.pick("options", dict, {})
    return Guest(
        name=row.pick("name", str),
        uuid=row.pick("uuid", str),
        model=row.pick("model", str, ""),
        queues=row.pick("queues", int, 1),
        vcpus=row.pick("vcpus", int, 1),
        shared_memory=row.pick("shared_memory", bool, None),
        endpoint=row.pick("endpoint", str, ""),
        options={name: row.inner("options").pick(name, str) for name in options},
    )
