# SPDX-License-Identifier: Apache-2.0
"""Group commit: what several threads ask for while one is at work is done together, by one of them.

The first to come leads, and does what has come by then; alone, it waits for nobody. When it is done, the next in line
leads all that have come meanwhile. A group that fails is as if it had not been: each member then tries for itself, so
that one bad request neither fails the others nor lends them its error. Why: docs/adr/0006-group-commit.md.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from os_vif.host.process import signals, threads

Asked = TypeVar("Asked")
Result = TypeVar("Result")


@dataclass(eq=False)
class _Member(Generic[Asked, Result]):
    """One thread and what it asks for. ``told``: it leads now, or its work was done, or it is to be done alone."""

    asked: Asked
    told: threads.Event = field(default_factory=threads.Event)
    results: list[Result] = field(default_factory=list)


class GroupCommit(Generic[Asked, Result]):
    """Threads may share it. A forked child begins anew.

    ``patience`` is how many seconds one waits for its turn, before it goes alone: who takes longer (because a switch
    does not answer, say) holds nobody else up.
    """

    def __init__(self, patience: float = 1.0) -> None:
        self.patience = patience
        self._forget()
        _all.add(self)

    def _forget(self) -> None:
        self._mutex = threads.Lock()
        #: Of each kind under way: who leads, and who waits.
        self._leaders: dict[Hashable, _Member[Asked, Result]] = {}
        self._waiting: dict[Hashable, list[_Member[Asked, Result]]] = {}

    def waiting(self) -> int:
        """How many wait for their turn."""
        with self._mutex:
            return sum(map(len, self._waiting.values()))

    def run(self, kind: Hashable, asked: Asked, together: Callable[[Sequence[Asked]], Result]) -> Result:
        """Has it done, with what others ask of the same kind where there is any.

        ``together`` does what several ask for: all of it, or none and raises. Its result is that of each.
        """
        member: _Member[Asked, Result] = _Member(asked)
        try:
            if not self._leads(kind, member):
                # What another thread does for this one cannot be cut off by a signal to this one.
                with signals.deferred():
                    self._wait(kind, member)
            return member.results[0] if member.results else self._do(kind, member, together)
        finally:
            self._leave(kind, member)

    def _leads(self, kind: Hashable, member: _Member[Asked, Result]) -> bool:
        with self._mutex:
            if kind in self._leaders:
                self._waiting.setdefault(kind, []).append(member)
                return False
            self._leaders[kind] = member
            return True

    def _wait(self, kind: Hashable, member: _Member[Asked, Result]) -> None:
        if member.told.wait(self.patience) or self._withdraws(kind, member):
            return
        member.told.wait()  # somebody is at it

    def _withdraws(self, kind: Hashable, member: _Member[Asked, Result]) -> bool:
        with self._mutex:
            waits = member in self._waiting.get(kind, ())
            if waits:
                self._waiting[kind].remove(member)
            return waits

    def _do(
        self, kind: Hashable, member: _Member[Asked, Result], together: Callable[[Sequence[Asked]], Result]
    ) -> Result:
        others = self._followers(kind, member)
        try:
            result = together([member.asked, *(other.asked for other in others)])
            for other in others:
                other.results.append(result)
        except Exception:
            if not others:
                raise
        else:
            return result
        finally:
            for other in others:
                other.told.set()
        self._leave(kind, member)
        return together([member.asked])

    def _followers(self, kind: Hashable, member: _Member[Asked, Result]) -> list[_Member[Asked, Result]]:
        with self._mutex:
            return self._waiting.pop(kind, []) if self._leaders.get(kind) is member else []

    def _leave(self, kind: Hashable, member: _Member[Asked, Result]) -> None:
        """The next in line leads, if this one did."""
        with self._mutex:
            if self._leaders.get(kind) is not member:
                return
            waiting = self._waiting.get(kind)
            if waiting:
                self._leaders[kind] = waiting.pop(0)
                self._leaders[kind].told.set()
            else:
                del self._leaders[kind]


_all: weakref.WeakSet[GroupCommit[Any, Any]] = weakref.WeakSet()


def _after_fork() -> None:
    """Whoever leads in the parent does not exist in a child."""
    for one in list(_all):
        one._forget()


os.register_at_fork(after_in_child=_after_fork)
