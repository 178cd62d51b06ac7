# SPDX-License-Identifier: Apache-2.0
"""Deferring signals while a host is half changed, so that stopping a service does not leave work half done."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_DEFERRED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """SIGTERM, SIGINT and SIGHUP that arrive inside take effect after it.

    Python lets only the main thread set handlers. In other threads the signals are kept from that thread; a process
    that wants more sets handlers of its own, as services do. What is cut off all the same is healed from the journal.
    """
    if threading.current_thread() is threading.main_thread():
        with _by_handler():
            yield
    else:
        with _by_mask():
            yield


@contextlib.contextmanager
def _by_handler() -> Iterator[None]:
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    before = {number: signal.getsignal(number) for number in _DEFERRED}
    # A handler that was not set from Python cannot be put back, so it is not replaced.
    replaced = {number: handler for number, handler in before.items() if handler not in (None, signal.SIG_IGN)}
    for number in replaced:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)
        for late in arrived:
            os.kill(os.getpid(), late)


@contextlib.contextmanager
def _by_mask() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _DEFERRED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
