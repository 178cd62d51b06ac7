# SPDX-License-Identifier: Apache-2.0
"""A network namespace for a while, so that a test can change the network of the kernel it runs on."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator

_CLONE_NEWNET = 0x40000000


@contextlib.contextmanager
def own_namespace() -> Iterator[None]:
    """The calling thread, and what it starts, are in a new and empty network namespace; it ends with the block.

    Root may do that, and so may who runs under ``unshare --map-root-user --net``. Raises OSError.
    """
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", home, _CLONE_NEWNET)  # where we are already; but is it permitted to come back?
        _call("unshare", _CLONE_NEWNET)
        try:
            yield
        finally:
            _call("setns", home, _CLONE_NEWNET)
    finally:
        os.close(home)


def _call(name: str, *arguments: int) -> None:
    # Python has these as os.unshare() and os.setns() from 3.12 on.
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
