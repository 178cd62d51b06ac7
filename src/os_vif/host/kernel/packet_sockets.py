# SPDX-License-Identifier: Apache-2.0
"""Packet sockets of this network namespace (packet(7)), as /proc/net/packet lists them: who reads from which device."""

from __future__ import annotations

import contextlib
from pathlib import Path

#: In place of the index of a device: it was deleted, and the socket is still open (packet_notifier() of the kernel).
DELETED = -1

_COLUMN = 4


def devices() -> frozenset[int]:
    """The indexes of the devices that packet sockets are bound to; DELETED for one that is no more."""
    try:
        lines = Path("/proc/thread-self/net/packet").read_text().splitlines()[1:]
    except OSError:
        return frozenset()
    found: set[int] = set()
    for words in map(str.split, lines):
        with contextlib.suppress(ValueError, IndexError):
            found.add(int(words[_COLUMN]))
    return frozenset(found)
