# SPDX-License-Identifier: Apache-2.0
"""Lists of tokens with parameters, as RFC 9651 (Structured Field Values for HTTP) writes them.

    vhostuser;v="1.0-1.1", ovs, bridge

Only what such a list may hold is here: tokens as members, and every kind of value as a parameter, so that parameters
of somebody else can be read and left alone.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

Value = str | bool | int | Decimal | bytes
Member = tuple[str, Mapping[str, Value]]

_TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")
_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_SPACES, _BLANKS = re.compile(r" *"), re.compile(r"[ \t]*")


class Unreadable(ValueError):
    """``at``: the character, counted from 1, from which on the text is not such a list."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(f"at character {at}: {reason}")
        self.at = at


def parse(text: str) -> list[Member]:
    """The members of a list, each with its parameters. Raises Unreadable."""
    reading = _Reading(text.rstrip(" "))
    reading.skip(_SPACES)
    members: list[Member] = []
    while not reading.at_end():
        members.append((reading.take(_TOKEN, "a token is needed"), reading.parameters()))
        reading.skip(_BLANKS)
        if reading.at_end():
            break
        reading.take(_COMMA, "a comma is needed")
        reading.skip(_BLANKS)
        if reading.at_end():
            raise reading.unreadable("nothing follows the comma")
    return members


_COMMA = re.compile(",")


class _Reading:
    """A text, and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def at_end(self) -> bool:
        return self.at == len(self.text)

    def skip(self, what: re.Pattern[str]) -> None:
        self.take(what, "")

    def take(self, what: re.Pattern[str], complaint: str) -> str:
        found = what.match(self.text, self.at)
        if not found:
            raise self.unreadable(complaint)
        self.at = found.end()
        return found.group()

    def unreadable(self, reason: str) -> Unreadable:
        return Unreadable(self.at + 1, reason)

    def follows(self, character: str) -> bool:
        """Whether ``character`` comes next; it is read then."""
        found = self.text.startswith(character, self.at)
        self.at += found
        return found

    def parameters(self) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while self.follows(";"):
            self.skip(_SPACES)
            name = self.take(_KEY, "the name of a parameter is needed, in small letters")
            found[name] = self.value() if self.follows("=") else True
        return found

    def value(self) -> Value:
        for form, meaning in _VALUES:
            if form.match(self.text, self.at):
                return self._meant(form, meaning)
        raise self.unreadable("a value is needed")

    def _meant(self, form: re.Pattern[str], meaning: Callable[[str], Value]) -> Value:
        start = self.at
        try:
            return meaning(self.take(form, ""))
        except ValueError as error:
            raise Unreadable(start + 1, str(error)) from error


def _bytes(text: str) -> bytes:
    body = text.strip(":").rstrip("=")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("this is not base64") from error


def _display(text: str) -> str:
    encoded = text[2:-1].encode()
    return re.sub(rb"%(..)", lambda found: bytes.fromhex(found[1].decode()), encoded).decode()


_VALUES: tuple[tuple[re.Pattern[str], Callable[[str], Value]], ...] = (
    (re.compile(r'"(?:[ !#-\[\]-~]|\\["\\])*"'), lambda text: re.sub(r"\\(.)", r"\1", text[1:-1])),
    (_TOKEN, str),
    (re.compile(r"-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9])"), Decimal),
    (re.compile(r"-?[0-9]{1,15}(?![0-9.])"), int),
    (re.compile(r"\?[01]"), lambda text: text == "?1"),
    (re.compile(r":[A-Za-z0-9+/=]*:"), _bytes),
    (re.compile(r"@-?[0-9]{1,15}(?![0-9.])"), lambda text: int(text[1:])),
    (re.compile(r'%"(?:[ !#$&-~]|%[0-9a-f]{2})*"'), _display),
)


def render(members: list[tuple[str, Mapping[str, str]]]) -> str:
    """A list of tokens whose parameters are strings. Raises ValueError for what cannot be written so."""
    return ", ".join(_member(name, parameters) for name, parameters in members)


def _member(name: str, parameters: Mapping[str, str]) -> str:
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r:.60} is not a token")
    return name + "".join(f";{key}={_string(value)}" for key, value in parameters.items())


def _string(value: str) -> str:
    if not re.fullmatch(r"[ -~]*", value):
        raise ValueError(f"{value!r:.60} has characters that a header cannot have")
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
