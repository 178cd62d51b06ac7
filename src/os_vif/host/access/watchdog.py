# SPDX-License-Identifier: Apache-2.0
"""A process that outlives ours: killed in the middle of moving the host's own addresses, ours could not take them back.

It is started before the move, knows the steps, and waits. When it is told that all is well, it ends. When our process
dies without a word, it undoes the steps of a plug, or does the rest of an unplug's: see rescue.py.
Why: docs/adr/0014-hosts-own-network.md.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

UNDO, FINISH = "undo", "finish"

#: What it runs, by name: this module is below all that the rescue needs.
_WATCHER = "os_vif.host.engine.rescue"

DONE = b"done\n"
_SECONDS_TO_START = 30


@dataclass(frozen=True)
class Rescue:
    """What is to be done if this process dies: ``action`` UNDO or FINISH, with these steps (JSON).

    Only if the journal still tells of the VIFs what it does now: ``records`` are their generations, by id.
    """

    action: str
    steps: Sequence[dict[str, Any]]
    names: Sequence[str]
    scope: tuple[str, str]
    journal: str = ""
    lock_file: str = ""
    records: dict[str, int] = field(default_factory=dict)


@contextlib.contextmanager
def watching(rescue: Rescue) -> Iterator[None]:
    """While it lasts, somebody watches that this process lives. Without a Python to start it goes on alone."""
    watcher = _start(rescue)
    try:
        yield
    finally:
        if watcher is not None:
            _dismiss(watcher)


def _start(rescue: Rescue) -> subprocess.Popen[bytes] | None:
    if "python" not in Path(sys.executable or "").name:
        return None  # a server that has Python inside, and other ideas of its arguments
    try:
        watcher = subprocess.Popen(
            [sys.executable, "-m", _WATCHER, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    except OSError:
        return None
    assert watcher.stdin is not None
    assert watcher.stdout is not None
    with contextlib.suppress(OSError):
        watcher.stdin.write(json.dumps(dataclasses.asdict(rescue)).encode() + b"\n")
        watcher.stdin.flush()
        select.select([watcher.stdout], [], [], _SECONDS_TO_START)
    return watcher


def _dismiss(watcher: subprocess.Popen[bytes]) -> None:
    assert watcher.stdin is not None
    assert watcher.stdout is not None
    with contextlib.suppress(OSError):
        watcher.stdin.write(DONE)
        watcher.stdin.close()
    watcher.stdout.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        watcher.wait(_SECONDS_TO_START)
