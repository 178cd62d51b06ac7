# SPDX-License-Identifier: Apache-2.0
"""Taking values out of a JSON object that somebody else has written, each of the type it must have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from os_vif import exception

T = TypeVar("T")

#: Stands for a default that is none: the key must be there.
REQUIRED: Any = object()

_KINDS = {str: "a string", int: "a number", bool: "true or false", list: "a list", dict: "an object"}


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

    def list_of(self, key: str, kind: type[T]) -> list[T]:
        """A list whose elements are all of the type ``kind``; an absent one is empty."""
        items = self.pick(key, list, [])
        return [self._typed(item, kind, f"{self.where}.{key}[{index}]") for index, item in enumerate(items)]

    def each(self, key: str) -> Iterable[Picker]:
        """A list of objects, each with its place."""
        items = self.pick(key, list, [])
        return [Picker(item, f"{self.where}.{key}[{index}]") for index, item in enumerate(items)]

    def triples(self, key: str, meaning: str) -> list[tuple[str, str, str]]:
        """A list of lists of up to three strings, which are ``meaning``; those that are left out are empty."""
        return [self._triple(item, key, meaning) for item in self.list_of(key, list)]

    def _triple(self, item: list[Any], key: str, meaning: str) -> tuple[str, str, str]:
        texts = [text for text in item if isinstance(text, str)]
        if not texts or len(texts) < len(item):
            raise self.malformed(f"each element is a list of {meaning}, not {item!r:.60}", key)
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
            reason = f"{_KINDS[kind]} is needed, not {value!r:.60}"
            raise exception.MalformedOffer(field=where, reason=reason)
        return value
