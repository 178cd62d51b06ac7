# SPDX-License-Identifier: Apache-2.0
"""Where the journal and the locks live."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.journal.journal import Journal
from os_vif.host.journal.locks import Locks
from os_vif.host.journal.sqlite_errors import is_damage
from os_vif.host.journal.state_directory import StateDirectory
from os_vif.host.process import deadline

LOG = logger(__name__)

#: Names the state directory; without it, the first of the usual ones that can be written.
STATE_DIR_VARIABLE = "OS_VIF_STATE_DIR"

_SYSTEM_DIRECTORY = Path("/var/lib/os-vif")

_JOURNAL = "journal.db"
_SET_ASIDE = ".corrupt-"
#: What ends when somebody does something about it: the store is where it is meanwhile.
_FOR_NOW = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENFILE, errno.EMFILE)


@dataclass(frozen=True)
class Store:
    """The journal and the locks. ``volatile``: they live in this process's memory, and end with it.

    ``begins``: the journal was not there, or was set aside, and begins now.
    """

    journal: Journal
    locks: Locks
    volatile: bool = False
    begins: bool = False


def open_store(directory: Path | None = None) -> Store:
    """The store in ``directory``, or in the usual place.

    Where nothing can be written, plugging still works: the store is then in memory, and a warning says so once. One
    that is there and cannot be used is no reason to begin another: who plugs is told, and who unplugs goes by marks.
    """
    tried = []
    for candidate in [directory] if directory else _usual_directories():
        reason = why_not(candidate)
        if not reason:
            return _open_in(candidate)
        tried.append(f"{candidate} ({reason})")
    _warn_once(", ".join(tried))
    return Store(Journal(":memory:"), Locks(None), volatile=True)


def why_not(directory: Path) -> str:
    """Why the store cannot be in a directory, which is made if need be; "" where it can, or is."""
    place = StateDirectory(directory)
    try:
        place.check(_JOURNAL, make=True)
        return "" if place.is_usable(_JOURNAL) else f"{_JOURNAL} is another user's"
    except exception.UntrustedFile:
        return ""
    except OSError as error:
        return "" if error.errno in _FOR_NOW else error.strerror or str(error)


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
    begins = _is_empty(directory)
    journal = Journal(directory / _JOURNAL)
    was_set_aside = _set_aside_if_corrupt(journal)
    return Store(journal, Locks(directory / "locks"), begins=begins or was_set_aside)


def _is_empty(directory: Path) -> bool:
    try:
        found = StateDirectory(directory).check(_JOURNAL)
    except (OSError, exception.UntrustedFile):
        return False
    return found is not None and not found.st_size


def _set_aside_if_corrupt(journal: Journal) -> bool:
    """A file that is no database would bar every plug; what it held is known from the marks on the devices."""
    try:
        with deadline.of_call(0):
            journal.probe()
    except exception.JournalError as error:
        if not is_damage(error.__cause__):
            return False  # busy, or not readable now
        LOG.error("%s It was set aside as %s and a new one begun.", error, set_aside(journal))
        return True
    return False


def set_aside(journal: Journal) -> Path:
    """Gives a damaged journal another name; the next use begins a new one. Returns where it is. Raises OSError."""
    journal.close()
    path = Path(journal.path)
    aside = f"{path.name}{_SET_ASIDE}{int(time.time())}"
    place = StateDirectory(path.parent)
    for suffix in ("-wal", "-shm", ""):
        if place.check(path.name + suffix):
            place.rename(path.name + suffix, aside + suffix)
    return path.with_name(aside)


def those_set_aside(path: Path) -> list[Path]:
    """The journals that were set aside at a path, the newest first."""
    found = [one for one in path.parent.glob(f"{path.name}{_SET_ASIDE}*") if not one.name.endswith(("-wal", "-shm"))]
    return sorted(found, reverse=True)


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
