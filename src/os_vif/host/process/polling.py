# SPDX-License-Identifier: Apache-2.0
"""Waiting for one socket: also for descriptors above 1,023, which select() cannot take (select(2))."""

from __future__ import annotations

import select
import socket

#: poll.h; the module select has them only where it has poll().
POLLIN, POLLOUT = 1, 4
#: Milliseconds, half of what poll() takes. Who has a later deadline waits again.
_LONGEST_POLL = 1 << 30


def wait(connection: socket.socket, event: int, seconds: float) -> bool:
    """Whether the socket is ready to be read (POLLIN) or written to (POLLOUT), before so many seconds are over."""
    if not hasattr(select, "poll"):
        return _select(connection, event, seconds)
    poll = select.poll()
    poll.register(connection, event)
    return bool(poll.poll(min(seconds * 1000, _LONGEST_POLL)))


def _select(connection: socket.socket, event: int, seconds: float) -> bool:
    """eventlet takes poll() away, which would keep all green threads waiting; its select() takes any descriptor."""
    reading, writing = ([connection], []) if event == POLLIN else ([], [connection])
    return any(select.select(reading, writing, [], seconds))
