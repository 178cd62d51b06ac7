# SPDX-License-Identifier: Apache-2.0
"""Taking values out of a JSON object that somebody else has written, each of the type it must have."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from os_vif import exception

T = TypeVar("T")

#: Of whatever comes in a list, and in a name: a host has a dozen ways to bind a port, and names of some 30 characters.
MOST_ITEMS, LONGEST_WORD = 100, 255

#: Stands for a default that is none: the key must be there.
REQUIRED: Any = object()

_repr = reprlib.Repr()
_repr.maxlevel, _repr.maxstring, _repr.maxother = 3, 60, 60

_KINDS = {str: "a string", int: "a number", bool: "true or false", list: "a list", dict: "an object"}


def shown(value: Any) -> str:
    """The beginning of a value, however deep it is nested."""
    return f"{_repr.repr(value):.60}"


class Picker:
    """The values of ``data``; ``where`` is its dotted path, for errors. Every method raises MalformedOffer.

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

    def word(self, key: str, default: Any = REQUIRED) -> str:
        """A name: a text of one line, and not a long one."""
        text = self.pick(key, str, default)
        if len(text) > LONGEST_WORD or not text.isprintable():
            raise self.malformed(f"a line of at most {LONGEST_WORD} characters is needed, not {shown(text)}", key)
        return text

    def number(self, key: str, default: int) -> int:
        """A number that is counted or measured: not negative, and within 32 bits."""
        value = self.pick(key, int, default)
        if not 0 <= value < 1 << 31:
            raise self.malformed("a number from 0 to 2147483647 is needed", key)
        return value

    def list_of(self, key: str, kind: type[T]) -> list[T]:
        """A list whose elements are all of the type ``kind``; an absent one is empty."""
        items = self._items(key)
        return [self._typed(item, kind, f"{self.where}.{key}[{index}]") for index, item in enumerate(items)]

    def each(self, key: str) -> Iterable[Picker]:
        """A list of objects, each with its place."""
        items = self._items(key)
        return [Picker(item, f"{self.where}.{key}[{index}]") for index, item in enumerate(items)]

    def _items(self, key: str) -> list[Any]:
        items = self.pick(key, list, [])
        if len(items) > MOST_ITEMS:
            raise self.malformed(f"at most {MOST_ITEMS} are read, and it has {len(items)}", key)
        return items

    def triples(self, key: str, meaning: str) -> list[tuple[str, str, str]]:
        """A list of lists of up to three strings, which are ``meaning``; those that are left out are empty."""
        return [self._triple(item, key, meaning) for item in self.list_of(key, list)]

    def _triple(self, item: list[Any], key: str, meaning: str) -> tuple[str, str, str]:
        texts = [text for text in item if isinstance(text, str)]
        if not texts or len(texts) < len(item):
            raise self.malformed(f"each element is a list of {meaning}, not {shown(item)}", key)
        first, second, third = [*texts, "", ""][:3]
        return first, second, third

    def read(self, key: str, text: str, meaning: Callable[[str], T]) -> T:
        """What ``meaning`` makes of ``text``, the value of ``key``; its ValueError is told with the place."""
        try:
            return meaning(text)
        except ValueError as error:
            raise self.malformed(str(error), key) from error

    def malformed(self, reason: str, key: str = "") -> exception.MalformedOffer:
        """The error for the value of ``key``, or for all of it."""
        return exception.MalformedOffer(field=f"{self.where}.{key}" if key else self.where, reason=reason)

    def _typed(self, value: Any, kind: type[T], where: str) -> T:
        # True is an int to Python, and no number to anybody else.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            reason = f"{_KINDS[kind]} is needed, not {shown(value)}"
            raise exception.MalformedOffer(field=where, reason=reason)
        return value
