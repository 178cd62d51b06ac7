# SPDX-License-Identifier: Apache-2.0
"""Moving a small virtual machine from one QEMU to another while it runs.

with Guest(there, cards, ARRIVING) as arrival:      # with cards as the guest has them here
    begin(guest, arrival)                           # its memory is there; it stands still until told where to go on
    finish(guest)                                   # there; or give_up(guest): here
    arrival.run("...")
"""

from __future__ import annotations

import contextlib
import time

from os_vif.host.process.deadline import Deadline
from os_vif.hypervisors.qemu.qmp import Monitor
from support.guest.small import Guest

#: QEMU's arguments for a guest that is to come.
ARRIVING = ["-incoming", "defer"]

_PATIENCE = 240


def expect(arrival: Guest) -> None:
    """Returns when QEMU has opened all that it was started with, and listens."""
    with _monitor(arrival) as monitor:
        monitor.execute("migrate-incoming", uri=_way(arrival))


def begin(guest: Guest, arrival: Guest) -> None:
    """Copies it, and returns when it stands still with all but its last pages copied."""
    with _monitor(guest) as monitor:
        pause = {"capability": "pause-before-switchover", "state": True}
        monitor.execute("migrate-set-capabilities", capabilities=[pause])
        monitor.execute("migrate", uri=_way(arrival))
        _wait(monitor, "pre-switchover")


def finish(guest: Guest) -> None:
    """Has it go on there."""
    with _monitor(guest) as monitor:
        monitor.execute("migrate-continue", state="pre-switchover")
        _wait(monitor, "completed")


def give_up(guest: Guest) -> None:
    """Has it go on here."""
    with _monitor(guest) as monitor:
        monitor.execute("migrate_cancel")
        _wait(monitor, "cancelled")


def _way(arrival: Guest) -> str:
    return f"unix:{arrival.qmp}.way"


def _monitor(guest: Guest) -> Monitor:
    """Of a QEMU that may have been started just now."""
    end = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            return Monitor(str(guest.qmp), Deadline(_PATIENCE))
        assert time.monotonic() < end, "QEMU has no monitor"
        time.sleep(0.01)


def _wait(monitor: Monitor, wanted: str) -> None:
    end = time.monotonic() + _PATIENCE
    while (told := monitor.execute("query-migrate"))["status"] != wanted:
        assert told["status"] not in ("failed", "completed", "cancelled"), told
        assert time.monotonic() < end, told
        time.sleep(0.01)
