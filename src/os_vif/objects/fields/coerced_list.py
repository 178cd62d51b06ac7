# SPDX-License-Identifier: Apache-2.0
"""The list that a list field keeps: whatever is put into it is coerced as the field would."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, SupportsIndex, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

T = TypeVar("T")


class CoercedList(list[T]):
    """A list of the values of ``field``.

    Every way of adding an element coerces it, and raises InvalidValue or InvalidType naming ``field[index]``.
    Changing the list in place is not a change of the object that has it; assigning the field is.
    """

    # Any: a field is a descriptor, and a type checker would take this one for an attribute of type list.
    _field: Any = None

    @classmethod
    def trusted(cls, field: Any, values: Iterable[T]) -> Self:
        """A list of values that are known to be right."""
        made = cls(values)
        made._field = field
        return made

    def _coerce(self, value: Any, index: int) -> T:
        coerced: T = value if self._field is None else self._field.coerce_element(value, index)
        return coerced

    def _coerce_all(self, values: Iterable[Any], start: int) -> list[T]:
        return [self._coerce(value, index) for index, value in enumerate(values, start)]

    def append(self, value: Any) -> None:
        """Coerce ``value`` and add it at the end."""
        super().append(self._coerce(value, len(self)))

    def extend(self, values: Iterable[Any]) -> None:
        """Coerce ``values`` and add them at the end; on an error none is added."""
        super().extend(self._coerce_all(values, len(self)))

    def insert(self, index: SupportsIndex, value: Any) -> None:
        """Coerce ``value`` and put it before ``index``."""
        super().insert(index, self._coerce(value, index.__index__()))

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            super().__setitem__(index, self._coerce_all(value, index.start or 0))
        else:
            super().__setitem__(index, self._coerce(value, index.__index__()))

    def __iadd__(self, values: Iterable[Any]) -> Self:  # type: ignore[override,misc]
        self.extend(values)
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        field = self._field
        if field is None or field.owner is None:
            return list, (list(self),)
        return _rebuild, (field.owner, field.name, list(self))


def _rebuild(owner: Any, name: str, values: list[Any]) -> Any:
    # A pickle names the field instead of carrying it, so that it stays readable when the field changes.
    field = owner.fields.get(name)
    return CoercedList.trusted(field, values) if hasattr(field, "coerce_element") else values
