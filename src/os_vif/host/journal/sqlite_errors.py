# SPDX-License-Identifier: Apache-2.0
"""What SQLite's errors mean for who has to do something about them."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from os_vif import exception

#: Result codes as https://www.sqlite.org/rescode.html has them; the lowest byte is the kind.
_BUSY, _PERM, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _PROTOCOL, _NOTADB = 5, 3, 8, 10, 11, 13, 14, 15, 26

_NO_ROOM = "Make room on the file system that it is on; `df {directory}` shows it. Until then nothing new is plugged."
_HINTS = {
    _FULL: _NO_ROOM,
    _IOERR: "Look at the file system that it is on: `df {directory}`, and the kernel's log.",
    _READONLY: "See whether the file system is mounted read-only (`findmnt -T {directory}`), and whose the file is.",
    _PERM: "See whose the file and its directory are: `ls -l {directory}`.",
    _CANTOPEN: "See whose it is, and how it is mounted: `ls -l {directory}`, `findmnt -T {directory}`.",
    _BUSY: "`fuser -v {path}` shows who has it open.",
}
_KIND_OF_OS_ERROR = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL, errno.EROFS: _READONLY, errno.EACCES: _PERM}


def is_busy(error: BaseException | None) -> bool:
    """Whether somebody else has it locked."""
    return isinstance(error, sqlite3.OperationalError) and _kind(error) in (_BUSY, _PROTOCOL)


def is_damage(error: BaseException | None) -> bool:
    """Whether the file is no database, or no whole one."""
    return isinstance(error, sqlite3.DatabaseError) and _kind(error) in (_CORRUPT, _NOTADB)


def explained(error: sqlite3.Error | OSError, path: str, hint_if_damaged: str = "") -> exception.JournalError:
    """As an error of ours, which says what to do."""
    failure = exception.JournalError(path=path, reason=_words(error, path))
    kind = _FULL if _has_no_room(error, path) else _kind(error)
    hint = hint_if_damaged if is_damage(error) else _HINTS.get(kind, "")
    failure.hint = hint.format(path=path, directory=Path(path).parent)
    return failure


def _words(error: sqlite3.Error | OSError, path: str) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror or error}."
    if _has_no_room(error, path):
        return f"{error}; its file system is full."
    why = "; its file system is mounted read-only" if _kind(error) == _CANTOPEN and _is_read_only(path) else ""
    return f"{error}{why}."


def _has_no_room(error: BaseException, path: str) -> bool:
    """Where SQLite itself only says that the disk did not take something."""
    found = _file_system(path) if _kind(error) == _IOERR else None
    return found is not None and found.f_bavail == 0


def _is_read_only(path: str) -> bool:
    found = _file_system(path)
    return found is not None and bool(found.f_flag & os.ST_RDONLY)


def _file_system(path: str) -> os.statvfs_result | None:
    try:
        return os.statvfs(Path(path).parent)
    except OSError:
        return None


def _kind(error: BaseException) -> int:
    if isinstance(error, OSError):
        return _KIND_OF_OS_ERROR.get(error.errno or 0, 0)
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
