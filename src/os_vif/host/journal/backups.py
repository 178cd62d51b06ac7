# SPDX-License-Identifier: Apache-2.0
"""Backups of the journal and of what is beside it, made by SQLite: whole, and of one moment, whoever writes meanwhile.

They are in the directory ``backups`` of the state directory, ``journal.db.20261126T225031Z``: a few for each file, at
most one a day unless asked for. A file without rows is not backed up, so that a journal begun anew does not push out
what tells of the one before.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.journal.sqlite_connection import read_only
from os_vif.host.journal.sqlite_errors import explained, is_damage
from os_vif.host.journal.state_directory import StateDirectory

LOG = logger(__name__)

#: The files that are backed up where they are there, each with the table that tells whether it holds anything.
FILES = {"journal.db": "vif", "attachments.db": "attachment", "networks.db": "network"}

KEPT = 7
#: Seconds after which another one is due.
OFTEN = 24 * 3600

_DIRECTORY = "backups"
_MOMENT = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"(?P<file>.+\.db)\.(?P<moment>\d{8}T\d{6}Z)")


def directory_of(state: Path) -> Path:
    """Where the backups of a state directory are."""
    return state / _DIRECTORY


def of_file(state: Path, name: str) -> list[Path]:
    """The backups of a file, the newest first. None where they cannot be read."""
    found = []
    with contextlib.suppress(OSError), os.scandir(directory_of(state)) as entries:
        found = [entry.name for entry in entries]
    matching = sorted((one for one in found if (m := _NAME.fullmatch(one)) and m["file"] == name), reverse=True)
    return [directory_of(state) / one for one in matching]


def moment_of(backup: Path) -> float:
    """When a backup was made, in seconds since the epoch."""
    import calendar

    return float(calendar.timegm(time.strptime(backup.name.rpartition(".")[2], _MOMENT)))


def make_if_due(state: Path) -> None:
    """Makes those that are due. What goes wrong is in the log: nobody waits for a backup to plug."""
    newest = of_file(state, "journal.db")[:1]
    if newest and time.time() - moment_of(newest[0]) < OFTEN:
        return
    try:
        make(state)
    except exception.JournalError as error:
        # A full disk, say, is told of by whoever wants to write there; damage may be seen by nobody else.
        LOG.log(logging.WARNING if is_damage(error.__cause__) else logging.INFO, "No backup was made: %s", error)


def make(state: Path) -> list[Path]:
    """Makes one of each file that holds anything, and removes the oldest. Returns the new ones. Raises JournalError."""
    return [backup for name in FILES for backup in _make_one(state, name)]


def _make_one(state: Path, name: str) -> Iterator[Path]:
    path = state / name
    try:
        content = _content(StateDirectory(state), name) if path.exists() else None
        if content is None:
            return
        place = StateDirectory(directory_of(state))
        new = f"{name}.{time.strftime(_MOMENT, time.gmtime())}"
        _write(place, new, content)
        yield directory_of(state) / new
        for old in of_file(state, name)[KEPT:]:
            _remove(place, old.name)
    except (OSError, sqlite3.Error) as error:
        raise explained(error, str(path)) from error


def _content(state: StateDirectory, name: str) -> bytes | None:
    """All of a database as it is at this moment; None where it has no rows. Raises sqlite3.DatabaseError if damaged."""
    state.check(name)
    error = sqlite3.OperationalError("it cannot be opened")
    with read_only(state, name, error) as source, contextlib.closing(sqlite3.connect(":memory:")) as copy:
        source.backup(copy)
        tables = {row[0] for row in copy.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if FILES[name] not in tables or copy.execute(f"SELECT count(*) FROM {FILES[name]}").fetchone() == (0,):
            return None
        verdict = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"it is damaged, `vif journal verify` tells more ({' '.join(verdict.split())})")
        return copy.serialize()


def _write(place: StateDirectory, name: str, content: bytes) -> None:
    """Whole, or not at all: under another name first."""
    partial = f"{name}.partial"
    file = place.open_file(partial)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.truncate()
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        place.rename(partial, name)
    except BaseException:
        _remove(place, partial)
        raise


def _remove(place: StateDirectory, name: str) -> None:
    directory = place.open_itself()
    try:
        with contextlib.suppress(FileNotFoundError), place.rights():
            os.unlink(name, dir_fd=directory)
    finally:
        os.close(directory)
