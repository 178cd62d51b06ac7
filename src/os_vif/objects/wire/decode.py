# SPDX-License-Identifier: Apache-2.0
"""From the wire to objects: strict about form, lenient about age.

Whatever is sent, the outcome is an object or one error of :mod:`os_vif.exception` that names the place. Older
versions lack fields; newer minor versions have fields we do not know, which are left out and reported. What an
object of an unknown name or another major version means cannot be guessed, so those are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.objects import refusals
from os_vif.objects.fields import reading as field_reading
from os_vif.objects.wire import form, registry, versions, walk
from os_vif.objects.wire.plan import plan_of

if TYPE_CHECKING:
    from typing import Self

    from os_vif.objects.fields.containers import ObjectField
    from os_vif.objects.wire.plan import Line, Plan


class Reading:
    """One decoding under way: whose namespace, which context the objects get, how deep we are, what was dropped."""

    __slots__ = ("context", "depth", "dropped", "namespace")

    def __init__(self, namespace: str, context: Any) -> None:
        self.namespace = namespace
        self.context = context
        self.depth = 0
        self.dropped = False

    @classmethod
    def on_behalf_of(cls, obj: Any) -> Self:
        """A reading for a field of ``obj``."""
        return cls(getattr(obj, "OBJ_PROJECT_NAMESPACE", "os_vif"), getattr(obj, "_context", None))

    def read_object(self, primitive: Any, field: ObjectField[Any] | None = None) -> Any:
        """The object that ``primitive`` is the wire form of. Raises Refusal."""
        if type(primitive) is not dict and not isinstance(primitive, dict):
            raise refusals.wrong_type(primitive, "the wire form of an object")
        name, version = self._header(primitive)
        cls = registry.find(name, self.namespace, version)
        if field is not None and cls is not None and not field.admits(cls):
            raise field.refuse(_short(name))
        if cls is None:
            raise refusals.Refusal(exception.UnknownObject, name=_short(name), namespace=self.namespace)
        if not hasattr(cls, "_obj_blank"):
            return _read_foreign(cls, primitive, self.context)
        self.depth += 1
        if self.depth > form.MAX_DEPTH:
            reason = f"more than {form.MAX_DEPTH} objects are inside each other"
            raise refusals.Refusal(exception.MalformedPrimitive, reason)
        obj = read_as(cls, version, primitive, self)
        self.depth -= 1
        return obj

    def _header(self, primitive: dict[Any, Any]) -> tuple[str, str]:
        """Name and version; raises Refusal if they, or the namespace, are missing, malformed or not ours."""
        try:
            name, namespace = primitive[form.NAME], primitive[form.NAMESPACE]
            version = primitive[form.VERSION]
        except KeyError as error:
            raise _missing(error.args[0]) from error
        if type(name) is not str or type(version) is not str or namespace != self.namespace:
            raise self._bad_header(name, namespace, version)
        return name, version

    def _bad_header(self, name: Any, namespace: Any, version: Any) -> refusals.Refusal:
        for key, value in ((form.NAME, name), (form.NAMESPACE, namespace), (form.VERSION, version)):
            if not isinstance(value, str):
                return _at(key, refusals.wrong_type(value, "a string"))
        known = {"name": _short(name), "namespace": _short(namespace)}
        return refusals.Refusal(exception.UnknownObject, **known)


def decode(entry: Any, primitive: Any, context: Any) -> Any:
    """The object that ``primitive`` is the wire form of; it has to be in the namespace of the class ``entry``."""
    reading = Reading(entry.OBJ_PROJECT_NAMESPACE, context)
    return finish(reading, lambda: reading.read_object(primitive))


def decode_as(cls: Any, version: str, primitive: Any, context: Any) -> Any:
    """As :func:`decode`, where somebody else has looked up the class."""
    reading = Reading(cls.OBJ_PROJECT_NAMESPACE, context)
    return finish(reading, lambda: read_as(cls, version, primitive, reading))


def finish(reading: Reading, read: Any) -> Any:
    """What ``read`` returns; its refusals as public errors, and a report of what was dropped."""
    try:
        obj = read()
    except refusals.Refusal as refusal:
        refusal.throw()
    except RecursionError:
        # Only through fields that are not ours, which count no depth.
        reason = "objects are inside each other too deeply"
        raise exception.MalformedPrimitive(field="versioned_object", reason=reason) from None
    if reading.dropped:
        _report(obj)
    return obj


def read_as(cls: Any, version: str, primitive: dict[Any, Any], reading: Reading) -> Any:
    """An object of ``cls`` from its wire form. Raises Refusal."""
    newer = version != cls.VERSION and _is_newer(cls, version)
    data = primitive.get(form.DATA)
    if type(data) is not dict and not isinstance(data, dict):
        raise _at(form.DATA, refusals.wrong_type(data, "an object")) if form.DATA in primitive else _missing(form.DATA)
    plan = plan_of(cls)
    obj = cls._obj_blank(reading.context) if plan.own_init else cls()
    unknown = _fill(obj, plan, data, reading)
    state = obj.__dict__
    if unknown:
        state[walk.DROPPED] = tuple(unknown)
        reading.dropped = True
    if plan.starts:
        obj._obj_start()
    state["_context"] = reading.context
    if version != cls.VERSION and not newer:
        state["VERSION"] = version
    changes = primitive.get(form.CHANGES, ())
    state["_changed_fields"] = _changes(cls, plan, changes, None if newer else unknown) if changes != () else set()
    return obj


def _fill(obj: Any, plan: Plan, data: dict[Any, Any], reading: Reading) -> list[str]:
    """Set the fields that are in ``data``; return the names that are no fields."""
    state, lines = obj.__dict__, plan.by_name
    unknown: list[str] = []

    for name, value in data.items():
        if name not in lines:
            unknown.append(_field_name(name))
            continue
        line = lines[name]
        exact: Any = line.exact
        try:
            if type(value) is exact and (exact is not str or len(value) <= refusals.MAX_STRING):
                state[line.slot] = value
            elif value is None:
                state[line.slot] = _null(obj, line)
            elif line.foreign:
                state[line.slot] = _read_foreign_field(obj, line.field, value)
            else:
                state[line.slot] = line.field.read(value, reading)
        except refusals.Refusal as refusal:
            refusal.path.append(name)
            raise
    return unknown


def _field_name(key: Any) -> str:
    if isinstance(key, str):
        return key
    raise _at(refusals.show(key), refusals.wrong_type(key, "a string as the name of a field"))


def _null(obj: Any, line: Line) -> Any:
    if line.field.nullable:
        return None
    try:
        return line.field.coerce(obj, line.name, None)
    except ValueError as error:
        raise refusals.Refusal(exception.InvalidValue, "null is not a value of this field") from error


def _read_foreign_field(obj: Any, field: Any, value: Any) -> Any:
    try:
        return field.read_for(obj, value)
    except exception.ObjectError as error:
        raise _again(error) from error
    except RecursionError:
        raise
    except Exception as error:
        raise refusals.Refusal(exception.InvalidValue, f"{error}", value=refusals.show(value)) from error


def _read_foreign(cls: Any, primitive: dict[Any, Any], context: Any) -> Any:
    """An object of a class that is not derived from ours, read by its own means."""
    try:
        return cls.obj_from_primitive(primitive, context)
    except exception.ObjectError as error:
        raise _again(error) from error
    except RecursionError:
        raise
    except Exception as error:
        reason = f"cannot be read as {cls.__name__}: {type(error).__name__}: {error}"
        raise refusals.Refusal(exception.MalformedPrimitive, reason) from error


def _again(error: exception.ObjectError) -> refusals.Refusal:
    """A public error of an inner decoding, on its way up again."""
    known = {key: value for key, value in error.kwargs.items() if key not in ("field", "reason")}
    refusal = refusals.Refusal(type(error), error.kwargs.get("reason", ""), **known)
    if error.kwargs.get("field"):
        refusal.path.append(error.kwargs["field"])
    return refusal


def _is_newer(cls: Any, version: str) -> bool:
    try:
        wanted, newest = versions.parse(version), versions.parse(cls.VERSION)
    except ValueError as error:
        raise _at(form.VERSION, refusals.Refusal(exception.MalformedPrimitive, str(error))) from error
    if wanted[0] != newest[0]:
        known = {"name": cls.obj_name(), "version": _short(version), "known": cls.VERSION}
        raise refusals.Refusal(exception.UnsupportedObjectVersion, **known)
    return wanted > newest


def _changes(cls: Any, plan: Plan, changes: Any, unknown: list[str] | None) -> set[str]:
    """The changes as a set. ``unknown``: names that may occur besides the fields; None means any."""
    if not isinstance(changes, (list, tuple)):
        raise _at(form.CHANGES, refusals.wrong_type(changes, "a list"))
    known = plan.by_name
    for name in changes:
        if type(name) is not str:
            raise _at(form.CHANGES, refusals.wrong_type(name, "the name of a field"))
        if name not in known and unknown is not None and name not in unknown and name not in cls.obj_extra_fields:
            reason = f"{refusals.show(name)} is not a field of {cls.obj_name()}"
            raise _at(form.CHANGES, refusals.Refusal(exception.MalformedPrimitive, reason))
    return {name for name in changes if name in known}


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _missing(key: str) -> refusals.Refusal:
    return _at(key, refusals.Refusal(exception.MissingKey, "is missing"))


def _at(place: str, refusal: refusals.Refusal) -> refusals.Refusal:
    refusal.path.append(place)
    return refusal


def _report(obj: Any) -> None:
    # Rare, and logging is not free to import.
    from os_vif.exception.log import logger

    logger("os_vif.objects").warning(
        "Read %s without the fields that this version does not know: %s",
        obj.obj_name(),
        ", ".join(walk.dropped_fields(obj)),
    )


field_reading.provide(Reading.on_behalf_of)
