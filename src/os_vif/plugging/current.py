# SPDX-License-Identifier: Apache-2.0
"""The engine of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.process import threads

if TYPE_CHECKING:
    from os_vif.host.engine.engine import Engine

LOG = logger(__name__)

_mutex = threads.Lock()
_engine: Engine | None = None


def engine() -> Engine:
    """The engine of this process: this machine, and the state directory. Made when it is first needed."""
    global _engine
    if _engine is None:
        with _mutex:
            if _engine is None:
                _engine = _make_engine()
    return _engine


def use(new: Engine | None) -> None:
    """Makes the process use another engine (a fake host, say); None means the usual one, made anew."""
    global _engine
    with _mutex:
        _engine = new


def in_use() -> Engine | None:
    """The engine of this process, or None when none was needed so far."""
    return _engine


def _make_engine() -> Engine:
    # Imported when first used: a process that only reads or writes objects does not need it.
    from os_vif.host.access.host import RealHost
    from os_vif.host.engine.engine import Engine
    from os_vif.host.journal.store import open_store

    store = open_store()
    made = Engine(RealHost(), store.journal, store.locks, volatile=store.volatile)
    if not store.volatile:
        _look_after(made, begins=store.begins)
    return made


def _look_after(made: Engine, *, begins: bool) -> None:
    """Tells when the journal that begins is not the first here; makes a backup of one that is there, once a day."""
    from pathlib import Path

    from os_vif.host.journal import backups

    if begins:
        _tell_of_lost_records(made)
    else:
        backups.make_if_due(Path(made.journal.path).parent)


def _tell_of_lost_records(made: Engine) -> None:
    from os_vif.host.engine.garbage import GarbageCollector

    try:
        lost = GarbageCollector(made).lost(switches=False)
    except exception.ExceptionBase as error:
        LOG.debug("Whether the new journal %s is the first here cannot be told: %s", made.journal.path, error)
        return
    if lost:
        LOG.error(
            "The journal %s was begun anew, and %s on this host name it: its records were lost. VIFs can be plugged"
            " and unplugged; `vif journal rebuild` makes the records anew.",
            made.journal.path,
            "1 device" if len(lost) == 1 else f"{len(lost)} devices",
        )
