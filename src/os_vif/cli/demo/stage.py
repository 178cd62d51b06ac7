# SPDX-License-Identifier: Apache-2.0
"""The stage of the demo: network and mount namespaces of its own, which end with the process, even a killed one."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

from os_vif.host.journal.store import STATE_DIR_VARIABLE

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000

#: What the demo runs, and the Debian packages that have it.
_PROGRAMS = {"ip": "iproute2", "iptables-restore": "iptables", "ping": "iputils-ping"}


class NotPossible(Exception):
    """The demo cannot be shown here; the text says why, and what would help."""


def enter() -> str:
    """Moves this process onto the stage, and says in what kind of namespaces that is. Raises NotPossible."""
    _find_programs()
    try:
        kind = _isolate()
        _mount("tmpfs", "/run", "tmpfs", 0)
        Path("/run/netns").mkdir()
    except OSError as error:
        raise NotPossible(f"Network namespaces cannot be made here: {error}. Run it as root: sudo vif demo.") from error
    os.environ[STATE_DIR_VARIABLE] = "/run/os-vif"
    return kind


def _find_programs() -> None:
    # Who is not root often lacks these.
    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    missing = [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        raise NotPossible(f"Not installed: {', '.join(missing)}. sudo apt-get install {' '.join(missing)}")


def _isolate() -> str:
    if os.geteuid() == 0:
        _unshare(_CLONE_NEWNS | _CLONE_NEWNET)
        kind = "mount and network namespaces"
    else:
        _become_root_of_a_user_namespace()
        kind = "user, mount and network namespaces"
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    return kind


def _become_root_of_a_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    _unshare(_CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWNET)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


# Python has os.unshare() from 3.12 on, and mount() not at all.
_libc = ctypes.CDLL(None, use_errno=True)


def _unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    kind_bytes = None if kind is None else kind.encode()
    _check(_libc.mount(source.encode(), target.encode(), kind_bytes, flags, None), f"mount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
