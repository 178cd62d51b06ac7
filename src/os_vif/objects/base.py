# SPDX-License-Identifier: Apache-2.0
"""The base classes of the model.

Objects of these classes behave as those of oslo.versionedobjects do, and look the same on the wire; see
``docs/adr/0001-own-object-layer.md`` for why they are our own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from os_vif import exception
from os_vif.objects.fields.field import Field, UnspecifiedDefault
from os_vif.objects.wire import decode, encode, oslo, versions
from os_vif.objects.wire.plan import plan_of
from os_vif.objects.wire.registry import find, register, register_apart

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "ComparableVersionedObject",
    "ObjectListBase",
    "VersionedObject",
    "VersionedObjectPrintableMixin",
    "register",
    "register_apart",
]

T = TypeVar("T", bound="VersionedObject")


class ObjectRoot:
    """Empty; it is what lets :mod:`os_vif.objects.wire.oslo` give VersionedObject another base later."""


class VersionedObject(ObjectRoot):
    """An object of the model: typed fields, each set or unset, a record of changes, and a wire format.

    A subclass declares its fields as attributes, ``vif_name = StringField()``, or in a dict ``fields``, as classes
    with fields of oslo.versionedobjects do. Reading an unset field raises UnsetField, which is a NotImplementedError.
    Assigning coerces: see ``Field.coerce`` for the errors.
    """

    OBJ_SERIAL_NAMESPACE: ClassVar[str] = "versioned_object"
    OBJ_PROJECT_NAMESPACE: ClassVar[str] = "os_vif"
    VERSION: str = "1.0"
    fields: ClassVar[dict[str, Any]] = {}
    obj_extra_fields: ClassVar[list[str]] = []
    obj_relationships: ClassVar[dict[str, list[tuple[str, str]]]] = {}
    """Field → (version of this object, newest version of the object in the field that goes with it)."""
    obj_field_versions: ClassVar[dict[str, str]] = {}
    """Field → the version of this object that brought it; fields of version 1.0 are not listed."""
    indirection_api: ClassVar[None] = None

    _changed_fields: set[str]
    _context: Any

    def __init__(self, context: Any = None, **kwargs: Any) -> None:
        """``kwargs`` are set as attributes; those that are not fields are kept as plain attributes."""
        self._changed_fields = set()
        self._context = context
        for name, value in kwargs.items():
            setattr(self, name, value)
        self._obj_start()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = dict(cls.__dict__.get("fields") or {})
        for name, field in own.items():
            if isinstance(field, Field) and name not in cls.__dict__:
                setattr(cls, name, field)
                field.__set_name__(cls, name)
        own.update((name, value) for name, value in vars(cls).items() if isinstance(value, Field))
        for base in cls.__mro__[1:]:
            for name, field in base.__dict__.get("fields", {}).items():
                own.setdefault(name, field)
        cls.fields = own
        oslo.dress(cls)

    @classmethod
    def _obj_blank(cls, context: Any) -> Self:
        """An object with nothing set at all."""
        obj = cls.__new__(cls)
        obj._changed_fields = set()
        obj._context = context
        return obj

    def _obj_start(self) -> None:
        """Set what a new object of this class has from the start, unless it is set already."""

    # Fields -------------------------------------------------------------------------------------------

    @classmethod
    def obj_name(cls) -> str:
        """The name on the wire: that of the class."""
        return cls.__name__

    @property
    def obj_fields(self) -> list[str]:
        """The names of all fields, set or not."""
        return list(self.fields) + self.obj_extra_fields

    @property
    def obj_context(self) -> Any:
        """Whatever the constructor, or the decoder, was given as context."""
        return self._context

    def obj_attr_is_set(self, attrname: str) -> bool:
        """Whether the field is set. Raises UnknownField (an AttributeError) if there is none of that name."""
        if attrname not in self.fields and attrname not in self.obj_extra_fields:
            raise exception.UnknownField(name=self.obj_name(), field=attrname)
        return "_obj_" + attrname in self.__dict__

    def __contains__(self, name: object) -> bool:
        return name in self.fields and f"_obj_{name}" in self.__dict__

    def obj_load_attr(self, attrname: str) -> None:
        """Called when an unset field is read. A subclass may set it; here it raises UnsetField."""
        raise exception.UnsetField(name=self.obj_name(), field=attrname)

    def obj_set_defaults(self, *attrs: str) -> None:
        """Set unset fields to their defaults: those named, or all that have one.

        Raises UnknownField (a KeyError) for a name that is not a field, ObjectError for a field without default.
        """
        for name in attrs or [name for name, field in self.fields.items() if _has_default(field)]:
            if name not in self.fields:
                raise exception.UnknownField(name=self.obj_name(), field=name)
            field = self.fields[name]
            if not _has_default(field):
                raise exception.ObjectError(f"{name}: this field of {self.obj_name()} has no default.", field=name)
            if not self.obj_attr_is_set(name):
                setattr(self, name, copy.deepcopy(field.default))

    def save(self) -> None:
        """There is nowhere to save to; a subclass may know one."""
        raise NotImplementedError(f"{self.obj_name()} cannot be saved.")

    # Changes ------------------------------------------------------------------------------------------

    def obj_what_changed(self) -> set[str]:
        """The fields assigned since the last reset, and those holding an object that says so of itself."""
        changed = set(self._changed_fields)
        for line in plan_of(type(self)).holders:
            value = self.__dict__.get(line.slot)
            if value is not None and hasattr(value, "obj_what_changed") and value.obj_what_changed():
                changed.add(line.name)
        return changed

    def obj_get_changes(self) -> dict[str, Any]:
        """The changed fields with their values."""
        return {name: getattr(self, name) for name in self.obj_what_changed()}

    def obj_reset_changes(self, fields: Any = None, recursive: bool = False) -> None:  # noqa: FBT001, FBT002
        """Forget the changes of all fields, or of ``fields``; with ``recursive`` of the objects in changed ones too."""
        if recursive:
            changed = self.obj_what_changed()
            for value in self._obj_held(changed & set(fields) if fields else changed):
                value.obj_reset_changes(recursive=True)
        if fields:
            self._changed_fields -= set(fields)
        else:
            self._changed_fields.clear()

    def _obj_held(self, names: set[str]) -> Iterator[Any]:
        """The objects in the fields called ``names``."""
        for line in plan_of(type(self)).holders:
            value = self.__dict__.get(line.slot)
            if value is not None and line.name in names:
                candidates = value if isinstance(value, list) else [value]
                yield from (item for item in candidates if hasattr(item, "obj_reset_changes"))

    # The wire -----------------------------------------------------------------------------------------

    def obj_to_primitive(
        self, target_version: str | None = None, version_manifest: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The wire form, made of dicts, lists, strings, numbers, booleans and None.

        ``target_version``: write the object as that version of it, without the fields that came later, and objects
        inside it likewise. ``version_manifest``: names of objects with the newest version of each to write. Raises
        UnsupportedObjectVersion for a version that is not one of this object's.
        """
        primitive = encode.encode(self)
        if target_version is None and version_manifest:
            target_version = version_manifest.get(self.obj_name(), self.VERSION)
        if target_version is not None:
            encode.backlevel(self, primitive, target_version, version_manifest)
        return primitive

    def obj_make_compatible(self, primitive: dict[str, Any], target_version: str) -> None:
        """Turn ``primitive``, the fields of the wire form, into those of ``target_version``, in place.

        A subclass with a history of its own may override this and call it.
        """
        for name, since in self.obj_field_versions.items():
            if versions.is_older(target_version, since):
                primitive.pop(name, None)
        for name, rules in self.obj_relationships.items():
            fitting = [child for parent, child in rules if not versions.is_older(target_version, parent)]
            for child, wire in encode.children(self, primitive, (name,)):
                encode.lower(child, wire, fitting[-1] if fitting else None)

    def obj_make_compatible_from_manifest(
        self, primitive: dict[str, Any], target_version: str, version_manifest: dict[str, str] | None
    ) -> None:
        """As obj_make_compatible, and then lower the objects inside to the versions in ``version_manifest``."""
        self.obj_make_compatible(primitive, target_version)
        for child, wire in encode.children(self, primitive):
            encode.lower(child, wire, (version_manifest or {}).get(child.obj_name()), version_manifest)

    @classmethod
    def obj_from_primitive(cls, primitive: Any, context: Any = None) -> Any:
        """The object that ``primitive`` is the wire form of: of whatever class its name says.

        Raises MalformedPrimitive or InvalidValue (ValueErrors), UnknownObject or UnsupportedObjectVersion.
        """
        return decode.decode(cls, primitive, context)

    @classmethod
    def _obj_from_primitive(cls, context: Any, objver: str, primitive: dict[str, Any]) -> Any:
        # What oslo's code calls on the class it found in its registry.
        return decode.decode_as(cls, objver, primitive, context)

    @classmethod
    def obj_versions(cls) -> list[str]:
        """Every version that can be read and written, oldest first."""
        major, minor = versions.parse(cls.VERSION)
        return [f"{major}.{number}" for number in range(minor + 1)]

    @classmethod
    def obj_class_from_name(cls, objname: str, objver: str) -> type:
        """The class for that name. Raises UnknownObject, or UnsupportedObjectVersion if it is not that old or new."""
        found: Any = find(objname, cls.OBJ_PROJECT_NAMESPACE, objver)
        if found is None:
            raise exception.UnknownObject(name=objname, namespace=cls.OBJ_PROJECT_NAMESPACE)
        versions.check_target(found, objver)
        return found  # type: ignore[no-any-return]

    # Copies -------------------------------------------------------------------------------------------

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        new = self._obj_blank(self._context) if plan_of(type(self)).own_init else type(self)()
        memo[id(self)] = new
        for line in plan_of(type(self)).lines:
            if line.slot in self.__dict__:
                value = self.__dict__[line.slot]
                new.__dict__[line.slot] = value if line.plain else copy.deepcopy(value, memo)
        new._context = self._context
        new._changed_fields = set(self._changed_fields)
        return new

    def obj_clone(self) -> Self:
        """A deep copy of the fields and of the record of changes; plain attributes are left behind."""
        return copy.deepcopy(self)

    def __repr__(self) -> str:
        # An empty UUID, which shows as nothing, looks like an unset one. So it does upstream, and people grep logs.
        told = (
            f"{name}={(self.obj_attr_is_set(name) and field.stringify(getattr(self, name))) or '<?>'}"
            for name, field in sorted(self.fields.items())
        )
        return f"{self.obj_name()}({','.join(told)})"


class ComparableVersionedObject:
    """Two objects are equal when their wire forms are, versions and changes included. Hashes stay per object."""

    def __eq__(self: Any, other: object) -> bool:
        if not hasattr(other, "obj_to_primitive"):
            return NotImplemented
        mine, theirs = self.obj_to_primitive(), other.obj_to_primitive()
        # Ours list changes in one order, and mostly that settles it; oslo's list them in any.
        return bool(mine == theirs or _unordered(mine) == _unordered(theirs))

    __hash__ = object.__hash__


class VersionedObjectPrintableMixin:
    """``str()`` gives the wire form."""

    def __str__(self) -> str:
        return str(self.obj_to_primitive())  # type: ignore[attr-defined]


class ObjectListBase(VersionedObject, Sequence[T]):
    """A list that is an object: its elements are in the field ``objects``, which is unset unless given."""

    child_versions: ClassVar[dict[str, str]] = {}
    objects: Field[list[T]]

    def __len__(self) -> int:
        return len(self.objects)

    def __iter__(self) -> Iterator[T]:
        return iter(self.objects)

    def __contains__(self, value: object) -> bool:
        """Whether the field called ``value`` is set, or else whether ``value`` is an element."""
        return super().__contains__(value) if isinstance(value, str) else value in self.objects

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> Self: ...

    def __getitem__(self, index: int | slice) -> Any:
        if not isinstance(index, slice):
            return self.objects[index]
        part = type(self)(self._context, objects=self.objects[index])
        part.obj_reset_changes()
        return part

    def sort(self, key: Any = None, reverse: bool = False) -> None:  # noqa: FBT001, FBT002
        """Sort the elements in place, as ``list.sort`` does."""
        self.objects.sort(key=key, reverse=reverse)

    def __add__(self, other: object) -> Self:
        if type(other) is not type(self) or list(self.fields) != ["objects"]:
            raise TypeError("only lists of one class can be added, and only if they have no fields of their own")
        return type(self)(objects=[*self.objects, *other.objects])


def _has_default(field: Any) -> bool:
    # oslo's fields have a sentinel of their own, of the same name.
    return getattr(field.default, "__name__", None) != UnspecifiedDefault.__name__


def _unordered(wire: Any) -> Any:
    """``wire`` with every list of changes in order: theirs comes from a set."""
    if isinstance(wire, dict):
        return {key: sorted(value) if key.endswith(".changes") else _unordered(value) for key, value in wire.items()}
    return [_unordered(item) for item in wire] if isinstance(wire, list) else wire


oslo.give_root(VersionedObject)
