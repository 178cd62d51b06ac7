# SPDX-License-Identifier: Apache-2.0
"""What keeps threads apart, also where eventlet has put its own in their place.

With ``eventlet.monkey_patch()`` the locks of ``threading`` are for the green threads of one native thread. Native ones,
which the same process has as well (``eventlet.tpool``), would wait for them for ever. Locks of the kernel, on the other
hand, keep a whole native thread waiting, the green thread that holds the lock included. These here are held by
whatever calls itself a thread: who has to wait looks again and again, and lets others run meanwhile, if there may be
green threads; otherwise they are Python's own.
"""

from __future__ import annotations

import _thread
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self

#: Seconds between two looks.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.01

FOR_EVER = -1.0


def are_green() -> bool:
    """Whether eventlet may have put green threads in the place of native ones."""
    patcher = sys.modules.get("eventlet.patcher")
    return patcher is not None and bool(patcher.is_monkey_patched("thread"))


def native(body: Callable[[], None], name: str) -> threading.Thread:
    """A thread of the kernel, whatever eventlet has put in its place: its namespaces, say, are its own."""
    patcher = sys.modules.get("eventlet.patcher")
    module = patcher.original("threading") if patcher is not None else threading
    thread: threading.Thread = module.Thread(target=body, name=name)
    return thread


def _native(name: str) -> Any:
    patcher = sys.modules.get("eventlet.patcher")
    return getattr(patcher.original("_thread") if patcher is not None else _thread, name)


class Lock:
    """As threading.Lock."""

    def __init__(self) -> None:
        self._lock = _native("allocate_lock")()

    def acquire(self, blocking: bool = True, timeout: float = FOR_EVER) -> bool:  # noqa: FBT001, FBT002 - as Python's
        """Whether it is held now."""
        if self._lock.acquire(False):
            return True
        if not blocking:
            return False
        if not are_green():
            return bool(self._lock.acquire(True, timeout))
        return _until(lambda: bool(self._lock.acquire(False)), timeout)

    def release(self) -> None:
        """Lets go of it."""
        self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class RLock(Lock):
    """As threading.RLock: who holds it may take it again."""

    def __init__(self) -> None:
        super().__init__()
        self._owner: object = None
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float = FOR_EVER) -> bool:  # noqa: FBT001, FBT002 - as Python's
        """Whether it is held now."""
        me = _me()
        if self._owner != me:
            if not super().acquire(blocking, timeout):
                return False
            self._owner = me
        self._depth += 1
        return True

    def release(self) -> None:
        """Lets go of it, when that was done as often as it was taken."""
        self._depth -= 1
        if not self._depth:
            self._owner = None
            super().release()


class Event:
    """As threading.Event, for one that is set once."""

    def __init__(self) -> None:
        self._closed = Lock()
        self._closed.acquire()
        self._is_set = False

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._is_set

    def set(self) -> None:
        """Lets all go on that wait for it. A second time does nothing."""
        if not self._is_set:
            self._is_set = True
            self._closed.release()

    def wait(self, timeout: float = FOR_EVER) -> bool:
        """Whether it was set in time."""
        if not self._is_set and self._closed.acquire(timeout=timeout):
            self._closed.release()
        return self._is_set


class Condition:
    """As threading.Condition with a lock of its own. Who waits looks at what he waits for again, as ever."""

    def __init__(self) -> None:
        self._green = are_green()
        self._condition = None if self._green else threading.Condition()
        self._lock = RLock()
        self._notified = 0

    def __enter__(self) -> Self:
        (self._condition or self._lock).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        (self._condition or self._lock).__exit__(None, None, None)

    def wait(self, timeout: float) -> None:
        """Until somebody notifies, or the time is over. The lock is let go of meanwhile."""
        if self._condition is not None:
            self._condition.wait(timeout)
            return
        seen = self._notified
        self._lock.release()
        try:
            _until(lambda: self._notified != seen, timeout)
        finally:
            self._lock.acquire()

    def notify_all(self) -> None:
        """All who wait look again."""
        if self._condition is not None:
            self._condition.notify_all()
        self._notified += 1


def _until(done: Callable[[], bool], timeout: float) -> bool:
    end = None if timeout < 0 else time.monotonic() + timeout
    pause = _SHORTEST_PAUSE
    while not done():
        if end is not None and time.monotonic() >= end:
            return False
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return True


def _me() -> object:
    greenlet = sys.modules.get("greenlet")
    return (_native("get_ident")(), id(greenlet.getcurrent()) if greenlet is not None else 0)
