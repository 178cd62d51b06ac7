# SPDX-License-Identifier: Apache-2.0
"""Where the journal and the locks live."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from os_vif.host.journal import Journal
from os_vif.host.locks import Locks

LOG = logging.getLogger(__name__)

#: Names the state directory; without it, the first of the usual ones that can be written.
STATE_DIR_VARIABLE = "OS_VIF_STATE_DIR"

_SYSTEM_DIRECTORY = Path("/var/lib/os-vif")


@dataclass(frozen=True)
class Store:
    """The journal and the locks. ``volatile``: they live in this process's memory, and end with it."""

    journal: Journal
    locks: Locks
    volatile: bool = False


def open_store(directory: Path | None = None) -> Store:
    """The store in ``directory``, or in the usual place.

    Where nothing can be written, plugging still works: the store is then in memory, and a warning says so once.
    """
    tried = []
    for candidate in [directory] if directory else _usual_directories():
        try:
            candidate.mkdir(parents=True, exist_ok=True, mode=0o700)
            return _open_in(candidate)
        except OSError as error:
            tried.append(f"{candidate} ({error.strerror or error})")
    _warn_once(", ".join(tried))
    return Store(Journal(":memory:"), Locks(None), volatile=True)


def _usual_directories() -> Iterator[Path]:
    named = os.environ.get(STATE_DIR_VARIABLE)
    if named:
        yield Path(named)
        return
    # Also for a service that is not root, where an administrator made it and gave it to that service.
    yield _SYSTEM_DIRECTORY
    state_home = os.environ.get("XDG_STATE_HOME")
    yield (Path(state_home) if state_home else Path("~/.local/state").expanduser()) / "os-vif"


def _open_in(directory: Path) -> Store:
    path, lock_path = directory / "journal.db", directory / "locks"
    make_file(path)
    make_file(lock_path)
    _set_aside_if_corrupt(path)
    return Store(Journal(path), Locks(lock_path))


def make_file(path: Path) -> None:
    """Opens or makes a file. What root makes belongs to the owner of the directory, who is to open it as well."""
    existed = path.exists()
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if not existed and os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _set_aside_if_corrupt(path: Path) -> None:
    """A file that is no database would bar every plug; what it held is known from the marks on the devices."""
    try:
        database = sqlite3.connect(path)
        try:
            database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        finally:
            database.close()
    except sqlite3.OperationalError:
        return  # busy, or not readable now: not corrupt
    except sqlite3.DatabaseError as error:
        aside = path.with_name(f"{path.name}.corrupt-{int(time.time())}")
        path.rename(aside)
        LOG.error("The journal is corrupt (%s). It was set aside as %s and a new one begun.", error, aside)


_warned = threading.Event()


def _warn_once(tried: str) -> None:
    if not _warned.is_set():
        _warned.set()
        LOG.warning(
            "No state directory can be written: %s. Plugging works, but what is plugged is forgotten when this"
            " process ends. Set %s to a directory that can be written.",
            tried,
            STATE_DIR_VARIABLE,
        )
