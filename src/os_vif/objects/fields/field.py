# SPDX-License-Identifier: Apache-2.0
"""What every field has in common.

A field is a descriptor: ``vif.address`` reads it, ``vif.address = x`` coerces and records the change. Values
live in the object's ``__dict__`` under ``_obj_<name>``, where oslo's generated properties look for them too.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast, overload

from os_vif import exception
from os_vif.objects import refusals
from os_vif.objects.fields import reading

if TYPE_CHECKING:
    from typing import Self


T = TypeVar("T")


class UnspecifiedDefault:
    """Stands for the default of a field that has none."""


# Part of every fingerprint, so it has to read as it does in the library whose fingerprints are compared.
_NO_DEFAULT = "<class 'oslo_versionedobjects.fields.UnspecifiedDefault'>"


class Field(Generic[T]):
    """A field whose values are of type ``T``.

    ``nullable``: None is a value. ``default``: what ``obj_set_defaults()`` sets, and what None becomes in a field
    that is not nullable; reading an unset field never yields it. ``read_only``: can be set once.
    """

    TYPE: ClassVar[str] = ""
    PLAIN: ClassVar[bool] = False
    """Whether values look on the wire as they do here."""

    name: str = ""
    slot: str = ""
    owner: type | None = None

    def __init__(self, *, nullable: bool = False, default: Any = UnspecifiedDefault, read_only: bool = False) -> None:
        self._nullable = nullable
        self._default = default
        self._read_only = read_only

    @property
    def nullable(self) -> bool:
        """Whether None is a value of this field."""
        return self._nullable

    @property
    def default(self) -> Any:
        """The schema's default, or the class UnspecifiedDefault."""
        return self._default

    @property
    def read_only(self) -> bool:
        """Whether the field keeps the first value it is given."""
        return self._read_only

    # What a kind of field has to say ------------------------------------------------------------------

    def accept(self, value: Any, attr: str) -> T:
        """``value``, which is not None, as a ``T``. Raises ValueError or TypeError with a reason."""
        raise NotImplementedError

    def write(self, value: T) -> Any:
        """The wire form of ``value``, which is not None."""
        return value

    def read(self, value: Any, reader: reading.Reader) -> T:
        """The value of a wire form that is not None. Raises :class:`os_vif.objects.refusals.Refusal`."""
        raise NotImplementedError

    def stringify_value(self, value: Any) -> str:
        """``value``, which is not None, for the repr of an object."""
        return str(value)

    # What the rest of the world calls -----------------------------------------------------------------

    def coerce(self, obj: Any, attr: str, value: Any) -> T:
        """``value`` as this field keeps it.

        Raises InvalidValue (a ValueError) or InvalidType (also a TypeError), naming the field ``attr``.
        """
        if value is None:
            return self._coerce_none(obj, attr)
        try:
            return self.accept(value, attr)
        except exception.ObjectError:
            raise
        except (TypeError, AttributeError) as error:
            raise exception.InvalidType(field=attr, reason=str(error), value=refusals.show(value)) from error
        except (ValueError, ArithmeticError) as error:
            raise exception.InvalidValue(field=attr, reason=str(error), value=refusals.show(value)) from error

    def _coerce_none(self, obj: Any, attr: str) -> T:
        if self._nullable:
            return cast("T", None)
        if self._default is not UnspecifiedDefault:
            return self.coerce(obj, attr, self._default)
        raise exception.InvalidValue(field=attr, reason="None is not a value of this field", value="None")

    def to_primitive(self, obj: Any, attr: str, value: T | None) -> Any:
        """The wire form of ``value``."""
        return None if value is None else self.write(value)

    def from_primitive(self, obj: Any, attr: str, value: Any) -> T | None:
        """The value of the wire form ``value``. Raises a subclass of ObjectError."""
        if value is None:
            return None
        try:
            return self.read(value, reading.on_behalf_of(obj))
        except refusals.Refusal as refusal:
            refusal.path.append(attr)
            refusal.throw()

    def stringify(self, value: T | None) -> str:
        """``value`` as the repr of an object shows it."""
        return "None" if value is None else self.stringify_value(value)

    def describe(self) -> str:
        """The kind of field in a word."""
        return ("Nullable" if self._nullable else "") + self.TYPE

    def __repr__(self) -> str:
        default = _NO_DEFAULT if self._default is UnspecifiedDefault else self._default
        return f"{self.TYPE}(default={default},nullable={self._nullable}{self._repr_extra()})"

    def _repr_extra(self) -> str:
        return ""

    # The descriptor -----------------------------------------------------------------------------------

    def __set_name__(self, owner: type, name: str) -> None:
        if self.owner is None:
            self.owner, self.name, self.slot = owner, name, "_obj_" + name
        elif name != self.name:
            # Somebody uses the field of one class in another one, and under another name.
            twin = copy.copy(self)
            twin.owner = None
            setattr(owner, name, twin)
            twin.__set_name__(owner, name)

    @overload
    def __get__(self, obj: None, owner: type) -> Self: ...

    @overload
    def __get__(self, obj: object, owner: type | None = None) -> T: ...

    def __get__(self, obj: Any, owner: type | None = None) -> Any:
        if obj is None:
            return self
        state = obj.__dict__
        if self.slot not in state:
            # Raises, unless a subclass knows where to load the value from.
            obj.obj_load_attr(self.name)
        return state[self.slot]

    def __set__(self, obj: Any, value: Any) -> None:
        coerced = self.coerce(obj, self.name, value)
        state = obj.__dict__
        if self._read_only and self.slot in state:
            if state[self.slot] == coerced:
                return
            raise exception.InvalidValue(field=self.name, reason="is read-only and has a value already")
        obj._changed_fields.add(self.name)
        state[self.slot] = coerced

    def __delete__(self, obj: Any) -> None:
        if self.slot not in obj.__dict__:
            raise exception.UnknownField(
                f"{self.name} of {obj.obj_name()} is not set.", name=obj.obj_name(), field=self.name
            )
        del obj.__dict__[self.slot]


def optional(field: Field[T]) -> Field[T | None]:
    """``field``, made nullable.

    ``optional(MACAddressField())`` is ``MACAddressField(nullable=True)``, and ``str | None`` to a type checker.
    """
    field._nullable = True
    return cast("Field[T | None]", field)
