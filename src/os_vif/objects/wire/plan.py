# SPDX-License-Identifier: Apache-2.0
"""What encoding and decoding need to know of a class, worked out once, on first use.

Not when the class is made: oslo's decorator adds fields to classes of others after that.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from os_vif.objects.fields.containers import ListField, ObjectField
from os_vif.objects.fields.field import Field
from os_vif.objects.fields.scalars import BooleanField, IntegerField, StringField, UUIDField

_EXACT: dict[type, type] = {StringField: str, UUIDField: str, BooleanField: bool, IntegerField: int}


class Line(NamedTuple):
    """A field: its name, where values are kept, the field itself, and how it is written and read.

    ``plain``: written as it is. ``nested``: as the one object it is. ``foreign``: a field of oslo's. Else by
    ``field.write``. ``exact``: wire values of exactly this type need no more than a look at their length.
    """

    name: str
    slot: str
    field: Any
    plain: bool
    nested: bool
    foreign: bool
    exact: type | None


class Plan(NamedTuple):
    """A class: its fields, those that hold objects, and whether the class leaves our methods as they are."""

    lines: tuple[Line, ...]
    by_name: dict[str, Line]
    holders: tuple[Line, ...]
    own_encoding: bool
    own_changes: bool
    own_init: bool
    starts: bool


def plan_of(cls: Any) -> Plan:
    """The plan of ``cls``."""
    plan: Plan | None = cls.__dict__.get("_obj_plan")
    if plan is None:
        plan = _work_out(cls)
        cls._obj_plan = plan
    return plan


def _work_out(cls: Any) -> Plan:
    root = _root_of(cls)
    lines = tuple(_line(name, field) for name, field in cls.fields.items())
    return Plan(
        lines=lines,
        by_name={line.name: line for line in lines},
        holders=tuple(line for line in lines if _holds_objects(line.field)),
        own_encoding=cls.obj_to_primitive is root.obj_to_primitive,
        own_changes=cls.obj_what_changed is root.obj_what_changed,
        own_init=cls.__init__ is root.__init__,
        starts=cls._obj_start is not root._obj_start,
    )


def _root_of(cls: Any) -> Any:
    """Our VersionedObject, told by what it defines: it is built on this module."""
    return next(base for base in cls.__mro__ if "_obj_blank" in vars(base))


def _line(name: str, field: Any) -> Line:
    slot = "_obj_" + name
    field = getattr(field, "wrapped", field)
    if not isinstance(field, Field):
        return Line(name, slot, _Foreign(name, field), plain=False, nested=False, foreign=True, exact=None)
    nested = isinstance(field, ObjectField)
    return Line(name, slot, field, field.PLAIN, nested, foreign=False, exact=_EXACT.get(type(field)))


def _holds_objects(field: Any) -> bool:
    if isinstance(field, ListField):
        return isinstance(field.element, ObjectField)
    return isinstance(field, (ObjectField, _Foreign))


class _Foreign:
    """A field of oslo's in a class derived from one of ours, made to look like ours."""

    def __init__(self, name: str, field: Any) -> None:
        self.name = name
        self.field = field
        self.nullable: bool = field.nullable
        self.default: Any = field.default

    def coerce(self, obj: Any, attr: str, value: Any) -> Any:
        return self.field.coerce(obj, attr, value)

    def read_for(self, obj: Any, value: Any) -> Any:
        return self.field.coerce(obj, self.name, self.field.from_primitive(obj, self.name, value))

    def write_for(self, obj: Any, value: Any) -> Any:
        return self.field.to_primitive(obj, self.name, value)
