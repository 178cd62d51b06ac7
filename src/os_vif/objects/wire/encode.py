# SPDX-License-Identifier: Apache-2.0
"""From objects to the wire, at the current version or an older one."""

from __future__ import annotations

from typing import Any

from os_vif.objects.wire import form, versions
from os_vif.objects.wire.plan import plan_of


def encode(obj: Any) -> dict[str, Any]:
    """The wire form of ``obj`` at its own version. Changes are listed in the order of the fields."""
    return _encode(obj)[0]


def _encode(obj: Any) -> tuple[dict[str, Any], bool]:
    """The wire form, and whether anything in it has changed."""
    plan = plan_of(type(obj))
    state = obj.__dict__
    changed = state["_changed_fields"]
    inside: list[str] = []
    data: dict[str, Any] = {}
    for name, slot, field, plain, nested, foreign, _ in plan.lines:
        if slot not in state:
            continue
        value = state[slot]
        if plain or value is None:
            data[name] = value
        elif nested:
            data[name], changed_inside = _encode_nested(value)
            if changed_inside:
                inside.append(name)
        elif foreign:
            data[name] = field.write_for(obj, value)
            if getattr(value, "obj_what_changed", set)():
                inside.append(name)
        else:
            data[name] = field.write(value)
    if not plan.own_changes:
        changed = obj.obj_what_changed()
    elif inside:
        changed = changed.union(inside)
    primitive = {
        form.NAME: obj.obj_name(),
        form.NAMESPACE: obj.OBJ_PROJECT_NAMESPACE,
        form.VERSION: obj.VERSION,
        form.DATA: data,
    }
    if changed:
        _tell_changes(primitive, changed)
    return primitive, bool(changed)


def _encode_nested(value: Any) -> tuple[Any, bool]:
    if hasattr(value, "_obj_blank") and plan_of(type(value)).own_encoding:
        return _encode(value)
    # Somebody's class with an encoding of its own.
    return value.obj_to_primitive(), bool(value.obj_what_changed())


def _tell_changes(primitive: dict[str, Any], changed: set[str]) -> None:
    told = [name for name in primitive[form.DATA] if name in changed]
    if told:
        primitive[form.CHANGES] = told
    else:
        primitive.pop(form.CHANGES, None)


def backlevel(obj: Any, primitive: dict[str, Any], target: str, manifest: dict[str, str] | None = None) -> None:
    """Turn ``primitive``, the wire form of ``obj``, into that of version ``target``.

    ``manifest`` says, by the names of objects, which version each nested one is to have at most. Raises
    UnsupportedObjectVersion when ``obj`` cannot be written at ``target``.
    """
    versions.check_target(type(obj), target)
    data = primitive[form.DATA]
    # Not only when it is older than the object says it is: one read at 1.0 may since have got a field of 1.1.
    if versions.is_older(target, type(obj).VERSION):
        obj.obj_make_compatible(data, target)
    if manifest:
        for child, wire in children(obj, data):
            lower(child, wire, manifest.get(child.obj_name()), manifest)
    primitive[form.VERSION] = target
    if form.CHANGES in primitive:
        _tell_changes(primitive, set(primitive[form.CHANGES]))


def lower(child: Any, wire: dict[str, Any], target: str | None, manifest: dict[str, str] | None = None) -> None:
    """As :func:`backlevel`, but never raises the version that ``wire`` has already."""
    present = wire[form.VERSION]
    backlevel(child, wire, target if target and versions.is_older(target, present) else present, manifest)


def children(obj: Any, data: dict[str, Any], names: Any = None) -> list[tuple[Any, dict[str, Any]]]:
    """The objects in the fields of ``obj`` (in ``names`` only, if given), each with its wire form in ``data``."""
    found = []
    for line in plan_of(type(obj)).holders:
        if line.name in data and (names is None or line.name in names):
            value, wire = obj.__dict__.get(line.slot), data[line.name]
            if isinstance(wire, dict) and hasattr(value, "obj_make_compatible"):
                found.append((value, wire))
            elif isinstance(wire, list) and isinstance(value, list):
                found += [(v, w) for v, w in zip(value, wire, strict=False) if hasattr(v, "obj_make_compatible")]
    return found
