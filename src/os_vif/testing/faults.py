# SPDX-License-Identifier: Apache-2.0
"""Faults to order: make a step of a plan fail, or end the process there.

    engine = os_vif.testing.engine_on(host, observer=faults.fail_before(3, errno.ENOSPC))
    engine = Engine(RealHost(), journal, locks, observer=faults.kill_after(2))

Steps are counted from 1, over all that an engine does with the observer. An observer sees what a plan sets out to do,
not what is undone; ``Interposed`` stands between the engine and its host, and sees every operation.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from os_vif.host.access.host import HostAccess
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Step
from os_vif.host.engine.executor import Observer


class Died(BaseException):
    """Stands for the end of the process where it cannot really end: nothing in os-vif handles it."""


class Counter:
    """An observer that does ``action`` once, ``when`` ("before" or "after") the step of that number."""

    def __init__(self, when: str, number: int, action: Callable[[], None]) -> None:
        self.seen = 0
        self._when = when
        self._number = number
        self._action = action

    def __call__(self, when: str, what: Any) -> None:
        if when != self._when:
            return
        self.seen += 1
        if self.seen == self._number:
            self._action()


class Recorder:
    """An observer that keeps the steps that were done, in ``steps``."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, when: str, step: Step) -> None:
        if when == "after":
            self.steps.append(step)


def fail_before(number: int, error: int = errno.EIO, words: str = "") -> Observer:
    """Step ``number`` is refused, as if by the kernel."""

    def refuse() -> None:
        raise OperationFailed(0, error, words or os.strerror(error))

    return Counter("before", number, refuse)


def die_before(number: int) -> Observer:
    """Raises Died before step ``number``."""
    return Counter("before", number, _die)


def die_after(number: int) -> Observer:
    """Raises Died after step ``number``."""
    return Counter("after", number, _die)


def kill_before(number: int) -> Observer:
    """Ends this process with SIGKILL before step ``number``."""
    return Counter("before", number, kill)


def kill_after(number: int) -> Observer:
    """Ends this process with SIGKILL after step ``number``."""
    return Counter("after", number, kill)


def kill() -> None:
    """Ends this process as the kernel does when memory runs out: nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


def _die() -> None:
    raise Died


class Interposed:
    """A host whose operations are done one by one, each with ``hook("before", operation)`` and then "after".

    Counter and Recorder serve as hooks as well. What the hook raises is raised in the engine; OperationFailed makes
    the operation fail.
    """

    def __init__(self, host: HostAccess, hook: Callable[[str, Any], None]) -> None:
        self._host = host
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """See HostAccess."""
        for done, operation in enumerate(operations):
            try:
                self._hook("before", operation)
                self._host.run([operation], context)
                self._hook("after", operation)
            except OperationFailed as failure:
                raise OperationFailed(done, failure.errno, failure.words) from None
