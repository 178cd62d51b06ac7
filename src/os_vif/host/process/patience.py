# SPDX-License-Identifier: Apache-2.0
"""How long a server is waited for, given how it has done lately: one VIF's vain wait is not repeated for the next."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

#: Seconds for which a server that kept somebody waiting in vain is remembered.
_REMEMBERED = 60.0

_looking: ContextVar[bool] = ContextVar("whether the call under way only looks", default=False)


@contextlib.contextmanager
def looking() -> Iterator[None]:
    """While it lasts, the calling thread only looks: it has nothing to lose by being told soon that nobody answers."""
    token = _looking.set(True)
    try:
        yield
    finally:
        _looking.reset(token)


@dataclass
class Patience:
    """In seconds. ``first`` is for a server that nothing is held against, ``look`` for who only looks.

    ``again``: for a server that somebody has waited for in vain lately.
    """

    first: float
    again: float
    look: float
    _lost_at: float | None = field(default=None, init=False)

    def seconds(self) -> float:
        """How long to wait now."""
        lately = self._lost_at is not None and time.monotonic() - self._lost_at < _REMEMBERED
        patient = self.again if lately else self.first
        return min(patient, self.look) if _looking.get() else patient

    def lose(self) -> None:
        """Somebody has waited in vain."""
        self._lost_at = time.monotonic()

    def regain(self) -> None:
        """It has answered."""
        self._lost_at = None
