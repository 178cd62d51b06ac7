# SPDX-License-Identifier: Apache-2.0
"""How trouble with what was sent is told: short, in the words of JSON, with the path to where it is."""

from __future__ import annotations

import reprlib
from typing import Any, Final, NoReturn

from os_vif import exception

MAX_STRING: Final = 1 << 20
"""Longest string, in characters, that is read: no field has a use for more, and an attacker has."""

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def show(value: object) -> str:
    """``value`` for a message: short, whatever was sent to us."""
    try:
        return _SHORT.repr(value)
    except Exception:
        # A repr of somebody else's class can do anything; a message must still come out.
        return f"a {type(value).__name__}"


class Refusal(Exception):
    """Trouble on its way up from where it was found; every level adds its own part of the path.

    Only :func:`Refusal.throw` turns it into an error of the public tree, with the whole path.
    """

    def __init__(self, kind: type[exception.ObjectError], reason: str = "", **known: Any) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.known = known
        self.path: list[str] = []

    def throw(self) -> NoReturn:
        """Raise the public error; its ``field`` is the dotted path."""
        field = dotted(reversed(self.path))
        if self.reason:
            raise self.kind(field=field or "versioned_object", reason=self.reason, **self.known) from None
        error = self.kind(field=field, **self.known)
        if field:
            error = self.kind(f"{field}: {error.message}", field=field, **self.known)
        raise error from None


def dotted(parts: Any) -> str:
    """``["network", "objects", "[0]", "cidr"]`` as ``network.objects[0].cidr``."""
    return ".".join(parts).replace(".[", "[")


def wrong_type(value: object, wanted: str) -> Refusal:
    """``value`` is not of the JSON type ``wanted``."""
    return Refusal(exception.WrongWireType, f"{wanted} is needed, not {json_type(value)}")


def json_type(value: object) -> str:
    """The type of ``value`` in the words of JSON."""
    return _JSON_TYPES.get(type(value)) or f"a {type(value).__name__}"


_JSON_TYPES: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number with a fraction",
    str: "a string",
    list: "a list",
    tuple: "a list",
    dict: "an object",
}
