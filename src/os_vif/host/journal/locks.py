# SPDX-License-Identifier: Apache-2.0
"""Locks by name, between the threads of this process and between processes.

A name is a byte of one lock file, locked as an open file description lock (fcntl(2), F_OFD_SETLK): no file per
VIF is left behind, and the kernel lets go of the locks of a process that was killed.

Where that file cannot be opened to write (the disk is full, or read-only), who takes away things locks the directory
as a whole (flock(2)), for which it need not be written; and where there is none, the threads of this process only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import struct
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.journal.sqlite_errors import explained
from os_vif.host.journal.state_directory import StateDirectory
from os_vif.host.process import threads
from os_vif.host.process.deadline import Deadline

LOG = logger(__name__)

_SHORTEST_WAIT, _LONGEST_WAIT = 0.0005, 0.02


class Locks:
    """``path`` is the lock file; with None, only the threads of this process are kept apart.

    Whoever holds locks must not ask for more: all are taken in one call, in the order of their names, so that nobody
    waits in a circle. A forked child holds none of those that its parent holds.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._directory = StateDirectory(path.parent) if path else None
        self._begin()
        _all.add(self)

    @property
    def path(self) -> Path | None:
        """The lock file, or None."""
        return self._path

    def _begin(self) -> None:
        self._mutex = threads.Lock()
        self._threads: dict[str, tuple[threads.Lock, int]] = {}
        self._files: set[int] = set()

    @contextlib.contextmanager
    def hold(self, names: Iterable[str], deadline: Deadline, *, in_any_case: bool = False) -> Iterator[None]:
        """Holds all the named locks. Raises DeadlineExceeded, JournalError.

        ``in_any_case``: also where the lock file cannot be used.
        """
        wanted, process = sorted(set(names)), os.getpid()
        held: list[str] = []
        unlock: Callable[[], None] | None = None
        try:
            for name in wanted:
                self._enter(name, deadline)
                held.append(name)
            if self._directory is not None:
                unlock = self._lock(wanted, deadline, in_any_case=in_any_case)
            yield
        finally:
            if os.getpid() == process:
                if unlock is not None:
                    unlock()
                for name in reversed(held):
                    self._leave(name)

    def _lock(self, names: Iterable[str], deadline: Deadline, *, in_any_case: bool) -> Callable[[], None] | None:
        """Keeps other processes away; what lets go of that."""
        assert self._directory is not None
        assert self._path is not None
        try:
            file = self._directory.open_file(self._path.name)
        except (OSError, exception.JournalError) as error:
            failure = error if isinstance(error, exception.JournalError) else explained(error, str(self._path))
            if not in_any_case:
                raise failure from error
            return self._lock_directory(failure, deadline)
        self._files.add(file)
        try:
            for name in names:
                _lock_byte(file, name, deadline)
        except BaseException:
            self._close(file)
            raise
        return lambda: self._close(file)

    def _lock_directory(self, failure: exception.JournalError, deadline: Deadline) -> Callable[[], None] | None:
        assert self._directory is not None
        try:
            directory = self._directory.open_itself()
        except (OSError, exception.JournalError):
            LOG.warning("%s Other processes are not kept from working on the same.", failure)
            return None
        return _whole.hold(directory, f"the lock of {self._path}", deadline)

    def _close(self, file: int) -> None:
        """Lets go of all that is locked by it: also where a child that was forked meanwhile still has it open."""
        try:
            _set(file, fcntl.F_UNLCK, 0, 0)
        finally:
            self._files.discard(file)
            os.close(file)

    def _enter(self, name: str, deadline: Deadline) -> None:
        with self._mutex:
            lock, waiting = self._threads.get(name) or (threads.Lock(), 0)
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
    _poll(lambda: _set(file, fcntl.F_WRLCK, _offset(name), 1), f"the lock of {name}", deadline)


def _poll(lock: Callable[[], None], what: str, deadline: Deadline) -> None:
    pause = _SHORTEST_WAIT
    while True:
        try:
            lock()
            return
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
        try:
            deadline.check(f"{what}, which another process holds")
        except exception.DeadlineExceeded as error:
            error.hint = "`fuser -v` on the file `locks` of the state directory shows who may hold it."
            raise
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_WAIT)


def _set(file: int, kind: int, start: int, length: int) -> None:
    """``length`` 0: all of the rest of the file."""
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi", kind, os.SEEK_SET, start, length, 0))


class _WholeDirectories:
    """Directories that this process has locked: once for all threads, which are kept apart by name."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._mutex = threads.Lock()
        self._held: dict[tuple[int, int], list[int]] = {}

    def hold(self, directory: int, what: str, deadline: Deadline) -> Callable[[], None]:
        """Locks a directory, and keeps its descriptor until it is let go of. Returns what does that."""
        found = os.fstat(directory)
        identity = (found.st_dev, found.st_ino)
        try:
            _poll(lambda: self._try(directory, identity), what, deadline)
        except BaseException:
            os.close(directory)
            raise
        return lambda: self._let_go(identity)

    def _try(self, directory: int, identity: tuple[int, int]) -> None:
        with self._mutex:
            if identity not in self._held:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._held[identity] = []
            self._held[identity].append(directory)

    def _let_go(self, identity: tuple[int, int]) -> None:
        with self._mutex:
            # The first is the one that has it locked: it goes last.
            os.close(self._held[identity].pop())
            if not self._held[identity]:
                del self._held[identity]

    def after_fork(self) -> None:
        """What the parent holds stays the parent's."""
        for descriptors in self._held.values():
            for descriptor in descriptors:
                os.close(descriptor)
        self._begin()


_whole = _WholeDirectories()
_all: weakref.WeakSet[Locks] = weakref.WeakSet()


def _after_fork() -> None:
    _whole.after_fork()
    for locks in list(_all):
        locks.after_fork()


os.register_at_fork(after_in_child=_after_fork)
