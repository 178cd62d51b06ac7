# SPDX-License-Identifier: Apache-2.0
"""Whether any process has a macvtap open: the kernel does not tell it of the device itself (proc(5), /proc/PID/fd)."""

from __future__ import annotations

import os
from pathlib import Path


def may_be_open(name: str, proc: Path = Path("/proc")) -> bool:
    """Whether a process has a file of that name open, or may have: that of other users can be hidden from us."""
    processes = (process for process in proc.iterdir() if process.name.isdigit())
    # init runs no guests, and sandboxes hide its files even from root.
    return any(_may_have_open(process, name) for process in processes if process.name != "1")


def _may_have_open(process: Path, name: str) -> bool:
    try:
        return any(_target(file) == name for file in (process / "fd").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return False
    except OSError:
        return True


def _target(file: Path) -> str:
    try:
        return os.path.basename(os.readlink(file))  # noqa: PTH115, PTH119 - one of very many
    except (FileNotFoundError, ProcessLookupError):
        return ""
