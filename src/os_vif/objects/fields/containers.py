# SPDX-License-Identifier: Apache-2.0
"""Fields of objects, and of lists of other fields' values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from os_vif import exception
from os_vif.objects import refusals
from os_vif.objects.fields.coerced_list import CoercedList
from os_vif.objects.fields.field import Field
from os_vif.objects.fields.reading import Reader

T = TypeVar("T")
O_co = TypeVar("O_co", bound="NestedObject")


class NestedObject(Protocol):
    """What a field asks of the objects that it holds."""

    fields: ClassVar[dict[str, Any]]

    @classmethod
    def obj_name(cls) -> str: ...

    def obj_to_primitive(
        self, target_version: str | None = None, version_manifest: dict[str, str] | None = None
    ) -> dict[str, Any]: ...

    def obj_attr_is_set(self, attrname: str) -> bool: ...


class ListField(Field[list[T]]):
    """A list whose elements are the values of another field."""

    TYPE = "List"

    def __init__(self, element: Field[T], **options: Any) -> None:
        super().__init__(**options)
        self.element = element

    def accept(self, value: Any, attr: str) -> list[T]:
        if isinstance(value, (str, Mapping)) or not isinstance(value, Iterable):
            raise ValueError(f"a list is needed, not a {type(value).__name__}")
        values = [self.element.coerce(None, f"{attr}[{index}]", item) for index, item in enumerate(value)]
        return CoercedList.trusted(self, values)

    def coerce_element(self, value: Any, index: int) -> T:
        """``value`` as element ``index``. Raises as ``coerce`` does."""
        return self.element.coerce(None, f"{self.name}[{index}]", value)

    def write(self, value: list[T]) -> list[Any]:
        write = self.element.write
        return [write(item) for item in value]

    def read(self, value: Any, reader: Reader) -> list[T]:
        if type(value) is not list and not isinstance(value, (list, tuple)):
            raise refusals.wrong_type(value, "a list")
        return CoercedList.trusted(self, self._read_elements(value, reader))

    def _read_elements(self, items: list[Any] | tuple[Any, ...], reader: Reader) -> Iterable[T]:
        read = self.element.read
        for index, item in enumerate(items):
            try:
                yield read(item, reader)
            except refusals.Refusal as refusal:
                refusal.path.append(f"[{index}]")
                raise

    def stringify_value(self, value: Any) -> str:
        return "[" + ",".join(self.element.stringify(item) for item in value) + "]"


class ObjectField(Field[O_co]):
    """Another object: of the class ``objtype`` (or named so), and with ``subclasses`` of a subclass of it."""

    TYPE = "Object"

    def __init__(self, objtype: type[O_co] | str, *, subclasses: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.objname = objtype if isinstance(objtype, str) else objtype.obj_name()
        self.subclasses = subclasses

    def admits(self, cls: type) -> bool:
        """Whether objects of ``cls`` may be here. Classes are the same when their names are."""
        candidates = cls.__mro__ if self.subclasses else (cls,)
        return any(hasattr(c, "obj_name") and c.obj_name() == self.objname for c in candidates)

    def accept(self, value: Any, attr: str) -> O_co:
        if not self.admits(type(value)):
            kind = ValueError if hasattr(value, "obj_name") else TypeError
            raise kind(f"{self._wanted()} is needed, not a {type(value).__name__}")
        accepted: O_co = value
        return accepted

    def _wanted(self) -> str:
        return f"an object of type {self.objname}" + (" or a subtype" if self.subclasses else "")

    def write(self, value: O_co) -> Any:
        return value.obj_to_primitive()

    def read(self, value: Any, reader: Reader) -> O_co:
        found: O_co = reader.read_object(value, self)
        return found

    def refuse(self, name: str) -> refusals.Refusal:
        """What to raise when the wire has an object of another type here."""
        return refusals.Refusal(exception.InvalidValue, f"{self._wanted()} is needed, not a {name}", value=name)

    def stringify_value(self, value: Any) -> str:
        keys = [key for key in ("uuid", "id") if key in value.fields]
        if not keys:
            return str(value.obj_name())
        told = next((getattr(value, key) for key in keys if value.obj_attr_is_set(key)), "UNKNOWN")
        return f"{value.obj_name()}({told})"

    def describe(self) -> str:
        return f"{super().describe()}<{self.objname}>"


class ListOfObjectsField(ListField[O_co]):
    """A list of other objects."""

    def __init__(self, objtype: type[O_co] | str, *, subclasses: bool = False, **options: Any) -> None:
        super().__init__(ObjectField(objtype, subclasses=subclasses), **options)
