# SPDX-License-Identifier: Apache-2.0
"""Whether ovs-vswitchd works on what is in its database, and its control socket where that is on this machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from os_vif import exception
from os_vif.host.contract.degradation import Code, Degradation
from os_vif.host.ovsdb import unixctl
from os_vif.host.ovsdb.client import ConnectionLost, ServerError
from os_vif.host.ovsdb.database import Database
from os_vif.host.process.deadline import Deadline

_NAME = "ovs-vswitchd"
#: The lock that ovs-vswitchd holds for as long as it is connected to its database.
_LOCK = "ovs_vswitchd"
#: Where the daemons' files are if their database is not reached by a socket among them (ovs-vswitchd(8)).
_RUN_DIRECTORIES = ("/run/openvswitch", "/var/run/openvswitch")


def look(database: Database) -> Degradation | None:
    """What is wrong with the daemon; None where it answers, or cannot be asked."""
    with contextlib.suppress(OSError, ConnectionLost, ServerError, exception.DeadlineExceeded):
        if database.is_lock_free(_LOCK, Deadline(database.switch_answers.seconds())):
            return _dead()
    return _hangs(database)


def control_socket(database: Database) -> Path | None:
    """That of the daemon, or None."""
    for directory in _directories(database):
        for name in _names(directory):
            if (directory / name).is_socket() and _is_in_our_namespace(directory):
                return directory / name
    return None


def _dead() -> Degradation:
    text = f"{_NAME} does not run: nobody acts on what is in the database of Open vSwitch."
    return Degradation(Code.SWITCH_DEAD, _NAME, text, f"Start it (`systemctl restart {_NAME}`); its log says more.")


def _hangs(database: Database) -> Degradation | None:
    path = control_socket(database)
    seconds = database.switch_answers.seconds()
    if path is None:
        return None
    try:
        unixctl.call(str(path), "version", (), Deadline(seconds))
    except TimeoutError:
        database.switch_answers.lose()
        text = f"{_NAME} does not answer: asked for its version, it said nothing within {seconds:g} seconds."
        return Degradation(Code.SWITCH_HANGS, _NAME, text, f"Look at its log, then `systemctl restart {_NAME}`.")
    except (OSError, unixctl.CommandRefused):
        return None
    database.switch_answers.regain()
    return None


def _directories(database: Database) -> Iterator[Path]:
    if database.sockets:
        yield from (socket.parent for socket in database.sockets)
    else:
        yield from map(Path, _RUN_DIRECTORIES)


def _names(directory: Path) -> Iterator[str]:
    pid = _pid(directory)
    if pid:
        yield f"{_NAME}.{pid}.ctl"
    yield f"{_NAME}.ctl"


def _pid(directory: Path) -> int:
    try:
        return int((directory / f"{_NAME}.pid").read_text())
    except (OSError, ValueError):
        return 0


def _is_in_our_namespace(directory: Path) -> bool:
    """Whose files the usual directory has may be another one than whom the database's address leads to."""
    try:
        theirs = Path(f"/proc/{_pid(directory)}/ns/net").stat().st_ino
        return theirs == Path("/proc/thread-self/ns/net").stat().st_ino
    except OSError:
        return os.geteuid() != 0
