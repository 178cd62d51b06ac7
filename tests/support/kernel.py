# SPDX-License-Identifier: Apache-2.0
"""The few system calls that Python 3.11 does not offer, and a place of our own to test in."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def setns(fd: int, kind: int) -> None:
    """Moves the calling thread into a namespace."""
    _check(_libc.setns(fd, kind), "setns")


def unshare(flags: int) -> None:
    """Gives the calling thread namespaces of its own."""
    _check(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int = 0) -> None:
    """mount(2)."""
    kind_bytes = None if kind is None else kind.encode()
    _check(_libc.mount(source.encode(), target.encode(), kind_bytes, flags, None), f"mount {target}")


def isolate() -> None:
    """Moves this process into mount and network namespaces of its own, where it may do as it likes.

    A test can then not reach this machine's network, and everything is gone with the process, even a killed one.
    Who is not root becomes it in a user namespace. Raises OSError where that is not permitted.
    """
    root = os.geteuid() == 0
    uid, gid = os.geteuid(), os.getegid()
    unshare((0 if root else CLONE_NEWUSER) | CLONE_NEWNS | CLONE_NEWNET)
    if not root:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
        Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    _mount_sysfs()
    if root:
        Path("/run/netns").mkdir(exist_ok=True)
        mount("tmpfs", "/run/netns", "tmpfs")
        Path("/run/os-vif").mkdir(exist_ok=True)
        mount("tmpfs", "/run/os-vif", "tmpfs")
        Path("/run/os-vif").chmod(0o755)
    else:
        mount("tmpfs", "/run", "tmpfs")
        Path("/run/netns").mkdir()
    loopback_up()


def _mount_sysfs() -> None:
    """/sys shows the devices of the namespace it was mounted in, so it takes a new one; control groups are kept."""
    control_groups = Path("/sys/fs/cgroup")
    kept = os.open(control_groups, os.O_PATH) if control_groups.is_dir() else None
    mount("sysfs", "/sys", "sysfs")
    if kept is not None:
        mount(f"/proc/self/fd/{kept}", str(control_groups), None, MS_BIND | MS_REC)
        os.close(kept)


def loopback_up() -> None:
    """Brings `lo` up in the namespace of the calling thread."""
    siocsifflags, iff_up = 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, siocsifflags, struct.pack("16sh14x", b"lo", iff_up))
