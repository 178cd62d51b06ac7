# SPDX-License-Identifier: Apache-2.0
"""Who reads what is an object itself: fields hold objects, and do not know how objects look on the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Reader(Protocol):
    """One decoding under way."""

    def read_object(self, primitive: Any, field: Any = None) -> Any:
        """The object for ``field`` that ``primitive`` is the wire form of. Raises Refusal."""
        ...


class _Nobody:
    """Stands in until a class of objects is loaded: no field can hold one before."""

    def read_object(self, primitive: Any, field: Any = None) -> Any:
        raise LookupError("no class of objects is loaded")


_makers: list[Callable[[Any], Reader]] = [lambda obj: _Nobody()]


def provide(maker: Callable[[Any], Reader]) -> None:
    """From now on ``maker`` makes the reader for a field of an object; the decoder says so when it is loaded."""
    _makers[:] = [maker]


def on_behalf_of(obj: Any) -> Reader:
    """A reader for a field of ``obj``: in its namespace, with its context."""
    return _makers[0](obj)
