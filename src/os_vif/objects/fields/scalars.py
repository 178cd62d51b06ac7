# SPDX-License-Identifier: Apache-2.0
"""Fields of one plain value: text, numbers, truth, and text of a certain form."""

from __future__ import annotations

import re
from typing import Any, ClassVar, TypeVar

from os_vif import exception
from os_vif.objects import refusals
from os_vif.objects.fields.field import Field
from os_vif.objects.fields.reading import Reader

T = TypeVar("T")


class StringField(Field[str]):
    """Text. Numbers are taken as their text, bytes and containers are not."""

    TYPE = "String"
    PLAIN = True

    def accept(self, value: Any, attr: str) -> str:
        if isinstance(value, (str, int, float)):
            return str(value)
        raise ValueError(f"text is needed, not a {type(value).__name__}")

    def read(self, value: Any, reader: Reader) -> str:
        return text(value)

    def stringify_value(self, value: Any) -> str:
        return f"'{value}'"


class UUIDField(StringField):
    """A UUID, as text. Any text is taken here: peers do send others. ``validate.problems`` tells."""

    TYPE = "UUID"

    def accept(self, value: Any, attr: str) -> str:
        return str(value)

    def stringify_value(self, value: Any) -> str:
        return str(value)


class BooleanField(Field[bool]):
    """True or false: Python's truth of whatever is assigned, so the text "no" is true. The wire has to be exact."""

    TYPE = "Boolean"
    PLAIN = True

    def accept(self, value: Any, attr: str) -> bool:
        return bool(value)

    def read(self, value: Any, reader: Reader) -> bool:
        if value is True or value is False:
            return bool(value)
        raise refusals.wrong_type(value, "true or false")


class IntegerField(Field[int]):
    """A whole number; what ``int()`` takes is taken."""

    TYPE = "Integer"
    PLAIN = True

    def accept(self, value: Any, attr: str) -> int:
        return int(value)

    def read(self, value: Any, reader: Reader) -> int:
        if type(value) is int:
            return value
        raise refusals.wrong_type(value, "a whole number")


class FormedField(StringField):
    """Text of a certain form, kept in lower case."""

    FORM: ClassVar[re.Pattern[str]]
    WHAT: ClassVar[str]

    def accept(self, value: Any, attr: str) -> str:
        if isinstance(value, str):
            canonical = self._canonical(value)
            if self.FORM.fullmatch(canonical):
                return canonical
        raise ValueError(f"{refusals.show(value)} is not {self.WHAT}")

    def _canonical(self, value: str) -> str:
        return value.lower()

    def read(self, value: Any, reader: Reader) -> str:
        return in_form(self, text(value))

    def stringify_value(self, value: Any) -> str:
        return str(value)


class MACAddressField(FormedField):
    """A MAC address; kept with colons."""

    TYPE = "MACAddress"
    FORM = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
    WHAT = "a MAC address, such as fa:16:3e:00:00:01"

    def _canonical(self, value: str) -> str:
        return value.lower().replace("-", ":")


class PCIAddressField(FormedField):
    """A PCI address: domain, bus, slot and function, as in 0000:3b:00.1."""

    TYPE = "PCIAddress"
    FORM = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")
    WHAT = "a PCI address, such as 0000:3b:00.1"


class EnumField(StringField):
    """One of a closed list of words."""

    VALUES: ClassVar[tuple[str, ...]] = ()

    @property
    def valid_values(self) -> tuple[str, ...]:
        """The words."""
        return self.VALUES

    def accept(self, value: Any, attr: str) -> str:
        if not isinstance(value, str):
            raise TypeError(f"one of {', '.join(self.VALUES)} is needed, not a {type(value).__name__}")
        if value in self.VALUES:
            return str(value)
        raise ValueError(f"{refusals.show(value)} is not one of {', '.join(self.VALUES)}")

    def read(self, value: Any, reader: Reader) -> str:
        return in_form(self, text(value))

    def _repr_extra(self) -> str:
        return f",valid_values={self.VALUES}"


def text(value: Any) -> str:
    """A string from the wire. Raises Refusal when it is something else, or absurdly long."""
    if type(value) is str and len(value) <= refusals.MAX_STRING:
        return value
    if not isinstance(value, str):
        raise refusals.wrong_type(value, "a string")
    if len(value) <= refusals.MAX_STRING:
        return str(value)
    raise refusals.Refusal(
        exception.MalformedPrimitive,
        f"a string of {len(value)} characters; the longest that is read is {refusals.MAX_STRING}",
    )


def in_form(field: Field[T], value: str) -> T:
    """``value`` as ``field`` accepts it, from the wire."""
    try:
        return field.accept(value, field.name)
    except (TypeError, ValueError) as error:
        raise refusals.Refusal(exception.InvalidValue, str(error), value=refusals.show(value)) from error
