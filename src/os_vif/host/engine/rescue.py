# SPDX-License-Identifier: Apache-2.0
"""The process that watches over ours (watchdog.py), and what it does when ours dies in the middle of a move.

It takes the locks that the kernel has let go of, and undoes the steps of a plug, or does the rest of an unplug's.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import syslog
from pathlib import Path
from typing import Any

from os_vif import exception
from os_vif.host.access.watchdog import DONE, UNDO, Rescue

#: For the locks; nobody else holds them long.
_SECONDS_TO_RESCUE = 120.0
_POLL = 0.5


def main() -> None:
    """The watcher. Its session is its own, so that what ends a shell does not end it."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    parent = int(sys.argv[1])
    with open(0, "rb", buffering=0, closefd=False) as source:  # nothing of what comes after is read ahead
        rescue = Rescue(**json.loads(source.readline()))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if not _is_well(parent):
        _rescue(rescue)


def _is_well(parent: int) -> bool:
    """Waits for the word, or the end of whoever should have given it; a child of his may keep the pipe open."""
    while os.getppid() == parent:
        ready, _, _ = select.select([0], [], [], _POLL)
        if ready:
            return os.read(0, len(DONE)) == DONE
    ready, _, _ = select.select([0], [], [], 0)
    return bool(ready) and os.read(0, len(DONE)) == DONE


def _rescue(rescue: Rescue) -> None:
    from os_vif.host.access.host import RealHost
    from os_vif.host.engine.executor import Executor
    from os_vif.host.engine.registry import Backends
    from os_vif.host.journal.locks import Locks
    from os_vif.host.process.deadline import Deadline

    tasks = [_task(data) for data in rescue.steps]
    executor = Executor(Backends(RealHost(), {}))
    with Locks(Path(rescue.lock_file) if rescue.lock_file else None).hold(rescue.names, Deadline(_SECONDS_TO_RESCUE)):
        if not _is_unfinished(rescue):
            return
        problems = executor.undo(tasks) if rescue.action == UNDO else [str(error) for error in executor.do_all(tasks)]
    vifs = ", ".join(rescue.records)
    what = "undone" if rescue.action == UNDO else "finished"
    syslog.openlog("os-vif")
    syslog.syslog(syslog.LOG_ERR, f"Moving the host's addresses was interrupted (VIF {vifs}), and has been {what}.")
    for problem in problems:
        syslog.syslog(syslog.LOG_ERR, problem)


def _is_unfinished(rescue: Rescue) -> bool:
    """Whether nobody else has gone on where our process was cut off."""
    from os_vif.host.journal.journal import PLUGGED, Journal, Scope

    if not rescue.journal:
        return True
    try:
        journal, scope = Journal(rescue.journal), Scope(*rescue.scope)
        found = {vif_id: journal.record(scope, vif_id) for vif_id in rescue.records}
    except exception.JournalError:
        return True
    known = {vif_id: record.generation for vif_id, record in found.items() if record and record.status != PLUGGED}
    return known == rescue.records


def _task(data: dict[str, Any]) -> Any:
    from os_vif.host.contract.operations import Operation
    from os_vif.host.contract.plan import Step
    from os_vif.host.engine.planner import Task

    operation, undo = (Operation.from_primitive(data[name]) if data[name] else None for name in ("operation", "undo"))
    assert operation is not None
    step = Step(data["backend"], data["device"], data["text"], operation, undo, guards=tuple(data["guards"]))
    return Task(step, data["vif_id"], data["context"])


def to_primitive(task: Any) -> dict[str, Any]:
    """A task, for a Rescue."""
    return {
        **task.step.to_primitive(),
        "guards": list(task.step.guards),
        "vif_id": task.vif_id,
        "context": task.context,
    }


if __name__ == "__main__":
    main()
