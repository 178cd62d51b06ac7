# SPDX-License-Identifier: Apache-2.0
"""Programs that are run to their end, whatever the other threads of the process do.

The module subprocess learns by a pipe that a program was started, and by others that it has no more to say. A child
that another thread forks meanwhile has them too, and keeps them open for as long as it lives. So what a program reads
and writes are files without a name here, and it is over when it has ended.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_PAUSE = 0.002


@dataclass(frozen=True)
class Ended:
    """How it ended: its exit code (negative: the signal), and what it has written."""

    code: int
    output: str
    errors: str


class TookTooLong(Exception):
    """It did not end in time, and was killed."""


def run(
    command: Sequence[str], *, seconds: float, text: str = "", environment: Mapping[str, str] | None = None
) -> Ended:
    """Runs a program, given by its path, with ``text`` to read, in a session of its own.

    Raises TookTooLong, and OSError where it cannot be started.
    """
    with _file() as given, _file() as output, _file() as errors:
        os.write(given, text.encode())
        os.lseek(given, 0, os.SEEK_SET)
        process = os.posix_spawn(
            command[0],
            list(command),
            dict(os.environ if environment is None else environment),
            file_actions=[
                (os.POSIX_SPAWN_DUP2, given, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, errors, 2),
            ],
            setsid=True,
            setsigdef=[signal.SIGPIPE],
        )
        return Ended(_wait(process, seconds), _read(output), _read(errors))


@contextlib.contextmanager
def _file() -> Iterator[int]:
    file = os.memfd_create("os-vif", os.MFD_CLOEXEC)
    try:
        yield file
    finally:
        os.close(file)


def _read(file: int) -> str:
    with open(file, "rb", closefd=False) as opened:
        opened.seek(0)
        return opened.read().decode(errors="replace")


def _wait(process: int, seconds: float) -> int:
    try:
        if not _ends(process, seconds):
            os.kill(process, signal.SIGKILL)
            raise TookTooLong
    finally:
        code = _reap(process)
    return code


def _ends(process: int, seconds: float) -> bool:
    descriptor = os.pidfd_open(process)
    try:
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(seconds * 1000))
        return _ends_soon(process, seconds)
    finally:
        os.close(descriptor)


def _ends_soon(process: int, seconds: float) -> bool:
    """Where eventlet is in the place of threads, others are to run meanwhile."""
    end = time.monotonic() + seconds
    while os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True


def _reap(process: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    except ChildProcessError:  # somebody else has: what it has written has to do
        return 0
