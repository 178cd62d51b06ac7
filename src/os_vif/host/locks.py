# SPDX-License-Identifier: Apache-2.0
"""Locks by name, between the threads of this process and between processes.

A name is a byte of one lock file, locked as an open file description lock (fcntl(2), F_OFD_SETLK): no file per
VIF is left behind, and the kernel lets go of the locks of a process that was killed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import struct
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

from os_vif import exception
from os_vif.host.deadline import Deadline

_SHORTEST_WAIT, _LONGEST_WAIT = 0.0005, 0.02


class Locks:
    """``path`` is the lock file; with None, only the threads of this process are kept apart.

    Whoever holds locks must not ask for more: all are taken in one call, in the order of their names, so that nobody
    waits in a circle. A forked child holds none of those that its parent holds.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._begin()
        _all.add(self)

    def _begin(self) -> None:
        self._mutex = threading.Lock()
        self._threads: dict[str, tuple[threading.Lock, int]] = {}
        self._files: set[int] = set()

    @contextlib.contextmanager
    def hold(self, names: Iterable[str], deadline: Deadline) -> Iterator[None]:
        """Holds all the named locks. Raises DeadlineExceeded."""
        wanted, process = sorted(set(names)), os.getpid()
        held: list[str] = []
        file = None
        try:
            for name in wanted:
                self._enter(name, deadline)
                held.append(name)
            if self._path is not None:
                file = self._open(self._path)
                for name in wanted:
                    _lock_byte(file, name, deadline)
            yield
        finally:
            if os.getpid() == process:
                if file is not None:
                    self._close(file)
                for name in reversed(held):
                    self._leave(name)

    def _open(self, path: Path) -> int:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._files.add(file)
        return file

    def _close(self, file: int) -> None:
        """Lets go of all that is locked by it: also where a child that was forked meanwhile still has it open."""
        try:
            _set(file, fcntl.F_UNLCK, 0, 0)
        finally:
            self._files.discard(file)
            os.close(file)

    def _enter(self, name: str, deadline: Deadline) -> None:
        with self._mutex:
            lock, waiting = self._threads.get(name) or (threading.Lock(), 0)
            self._threads[name] = (lock, waiting + 1)
        if not lock.acquire(timeout=deadline.remaining()):
            self._forget(name)
            raise exception.DeadlineExceeded(
                seconds=f"{deadline.seconds:g}", what=f"the lock of {name}, which another thread holds"
            )

    def _leave(self, name: str) -> None:
        self._threads[name][0].release()
        self._forget(name)

    def _forget(self, name: str) -> None:
        with self._mutex:
            lock, waiting = self._threads[name]
            if waiting == 1:
                del self._threads[name]
            else:
                self._threads[name] = (lock, waiting - 1)

    def after_fork(self) -> None:
        """The threads that hold locks are the parent's; its file, kept open, would keep them when it is killed."""
        for file in self._files:
            os.close(file)
        self._begin()


def _offset(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") >> 2


def _lock_byte(file: int, name: str, deadline: Deadline) -> None:
    pause = _SHORTEST_WAIT
    while True:
        try:
            _set(file, fcntl.F_WRLCK, _offset(name), 1)
            return
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        deadline.check(f"the lock of {name}, which another process holds")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_WAIT)


def _set(file: int, kind: int, start: int, length: int) -> None:
    """``length`` 0: all of the rest of the file."""
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, start, length, 0))


_all: weakref.WeakSet[Locks] = weakref.WeakSet()


def _after_fork() -> None:
    for locks in list(_all):
        locks.after_fork()


os.register_at_fork(after_in_child=_after_fork)
