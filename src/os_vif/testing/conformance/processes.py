# SPDX-License-Identifier: Apache-2.0
"""Children of the test's process, and threads."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable


def start(act: Callable[[], object]) -> int:
    """Does something in a child of this process; returns its id."""
    child = os.fork()
    if child:
        return child
    try:
        act()
        code = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        code = 1
    os._exit(code)


def wait(child: int) -> int:
    """Waits for a child; what it exited with, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_threads(count: int, act: Callable[[int], object]) -> list[BaseException]:
    """Does something in so many threads at once, with 0, 1, ...; returns what they raised."""
    errors: list[BaseException] = []
    line = threading.Barrier(count)

    def body(number: int) -> None:
        line.wait()
        try:
            act(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=body, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
