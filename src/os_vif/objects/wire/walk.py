# SPDX-License-Identifier: Apache-2.0
"""Going through an object and everything inside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from os_vif.objects.refusals import dotted
from os_vif.objects.wire.plan import plan_of

DROPPED = "_dropped_on_read"
"""Where an object keeps the names of the fields it came with and that we do not know."""


def walk(obj: Any) -> Iterator[tuple[str, Any]]:
    """``obj`` and all objects in its fields, outermost first, each with its dotted path; that of ``obj`` is empty."""
    yield from _walk(obj, [])


def _walk(obj: Any, path: list[str]) -> Iterator[tuple[str, Any]]:
    yield dotted(path), obj
    for line in plan_of(type(obj)).holders:
        value = obj.__dict__.get(line.slot)
        if is_object(value):
            yield from _walk(value, [*path, line.name])
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if is_object(item):
                    yield from _walk(item, [*path, line.name, f"[{index}]"])


def is_object(value: Any) -> bool:
    """Whether ``value`` is an object of the model, or of a class that is derived from one of its classes."""
    return hasattr(type(value), "_obj_blank")


def join(path: str, name: str) -> str:
    """The path of field ``name`` of the object at ``path``."""
    return f"{path}.{name}" if path else name


def dropped_fields(obj: Any) -> tuple[str, ...]:
    """The dotted paths of the fields that ``obj`` came with from the wire and that this version does not know."""
    return tuple(join(path, name) for path, item in walk(obj) for name in item.__dict__.get(DROPPED, ()))
