# SPDX-License-Identifier: Apache-2.0
"""What others have written, read with types and bounds: nothing is taken to have the shape that it should have.

JSON text becomes values by :func:`parse_json`; :class:`Reader` takes these apart. Both raise one error, by default
MalformedData, which says whose data it is and where in it the trouble is.
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from os_vif import exception

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")

#: Characters of a JSON text, and how many brackets may be inside each other: far more than anybody means to send.
LONGEST, DEEPEST = 1 << 24, 100
#: Of whatever comes in a list, and in a name: a host has a dozen ways to bind a port, and names of some 30 characters.
MOST_ITEMS, LONGEST_WORD = 100, 255

#: Stands for a default that is none: the key must be there.
REQUIRED: Any = object()

_repr = reprlib.Repr()
_repr.maxlevel, _repr.maxstring, _repr.maxother, _repr.maxlong = 3, 60, 60, 60

_KINDS = {str: "a string", int: "a number", bool: "true or false", list: "a list", dict: "an object"}


class Unreadable(ValueError):
    """A text that is not JSON as anybody means it. ``token``: what to look for in it, if that is known."""

    def __init__(self, reason: str, token: str = "") -> None:
        super().__init__(reason)
        self.token = token


def shown(value: Any) -> str:
    """The beginning of a value, however deep it is nested."""
    try:
        return f"{_repr.repr(value):.60}"
    except Exception:
        # Numbers of thousands of digits, and objects of others' classes: a message must still come out.
        return f"a value of type {type(value).__name__}"


def parse_json(text: str | bytes, *, longest: int = LONGEST, deepest: int = DEEPEST) -> Any:
    """The value of a JSON text. Raises Unreadable, or json.JSONDecodeError or UnicodeDecodeError; all ValueErrors.

    Refused, though Python reads it: NaN and infinities, a key that is there twice in one object, numbers of thousands
    of digits, brackets that are inside each other more than ``deepest`` times, and texts longer than ``longest``.
    """
    if len(text) > longest:
        raise Unreadable(f"it is longer than {longest} bytes")
    try:
        value = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except RecursionError:
        raise Unreadable("brackets are inside each other too deeply") from None
    if _is_deeper(value, deepest):
        raise Unreadable("brackets are inside each other too deeply")
    return value


def _no_constant(name: str) -> Any:
    raise Unreadable(f"{name} is not JSON", name)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Unreadable(f"{key!r:.60} is there twice in one object", json.dumps(key))
            seen.add(key)
    return found


def _is_deeper(value: Any, deepest: int) -> bool:
    level = [value]
    for _ in range(deepest):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


class Reader:
    """The values of ``data``; ``where`` is its dotted path, for errors. Every method raises what ``malformed()`` makes.

    Keys that nobody asks for are ignored.
    """

    def __init__(self, data: Any, where: str) -> None:
        self.where = where
        self.data: Mapping[str, Any] = self._typed(data, dict, where)

    def pick(self, key: str, kind: type[T], default: Any = REQUIRED) -> T:
        """The value of ``key``, which is of the type ``kind``; null counts as absent."""
        value = self.data.get(key)
        if value is not None:
            return self._typed(value, kind, f"{self.where}.{key}")
        if default is REQUIRED:
            raise self.malformed("is missing", key)
        chosen: T = default
        return chosen

    def inner(self, key: str, default: Any = REQUIRED) -> Self:
        """An object in this one."""
        return type(self)(self.pick(key, dict, default), f"{self.where}.{key}")

    def word(self, key: str, default: Any = REQUIRED) -> str:
        """A name: a text of one line, and not a long one."""
        text = self.pick(key, str, default)
        if len(text) > LONGEST_WORD or not text.isprintable():
            raise self.malformed(f"a line of at most {LONGEST_WORD} characters is needed, not {shown(text)}", key)
        return text

    def number(self, key: str, default: Any = REQUIRED) -> int:
        """A number that is counted or measured: not negative, and within 32 bits."""
        value = self.pick(key, int, default)
        if not 0 <= value < 1 << 31:
            raise self.malformed("a number from 0 to 2147483647 is needed", key)
        return value

    def list_of(self, key: str, kind: type[T], *, most: int = MOST_ITEMS) -> list[T]:
        """A list whose elements are all of the type ``kind``; an absent one is empty."""
        items = self._items(key, most)
        return [self._typed(item, kind, f"{self.where}.{key}[{index}]") for index, item in enumerate(items)]

    def each(self, key: str, *, most: int = MOST_ITEMS) -> Iterable[Self]:
        """A list of objects, each with its place."""
        items = self._items(key, most)
        return [type(self)(item, f"{self.where}.{key}[{index}]") for index, item in enumerate(items)]

    def _items(self, key: str, most: int) -> list[Any]:
        items = self.pick(key, list, [])
        if len(items) > most:
            raise self.malformed(f"at most {most} are read, and it has {len(items)}", key)
        return items

    def read(self, key: str, text: str, meaning: Callable[[str], T]) -> T:
        """What ``meaning`` makes of ``text``, the value of ``key``; its ValueError is told with the place."""
        try:
            return meaning(text)
        except ValueError as error:
            raise self.malformed(str(error), key) from error

    def malformed(self, reason: str, key: str = "") -> Exception:
        """The error for the value of ``key``, or for all of it."""
        return self.error(f"{self.where}.{key}" if key else self.where, reason)

    def error(self, field: str, reason: str) -> Exception:
        """What is raised; a subclass may know a better error than MalformedData."""
        return exception.MalformedData(field=field, reason=reason)

    def _typed(self, value: Any, kind: type[T], where: str) -> T:
        # True is an int to Python, and no number to anybody else.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(where, f"{_KINDS[kind]} is needed, not {shown(value)}")
        return value
