# SPDX-License-Identifier: Apache-2.0
"""The wire form of objects, shortened: the same without what every object repeats.

    {"_": "Network 1.1", "id": ..., "mtu": 1500, "subnets": {"_": "SubnetList", "objects": []}}

``_`` has the object's name, its version unless that is 1.0, and its namespace unless that is ours. The record of
changes is left out: it means something in the process that made them. Any object of any version survives, also of
classes that we do not know.
"""

from __future__ import annotations

from typing import Any

from os_vif import exception
from os_vif.foreign import shown

HEAD = "_"
#: Holds a plain mapping that has a key ``_`` of its own.
_PLAIN = "="

_WIRE = "versioned_object."
_OLDEST, _OURS = "1.0", "os_vif"
_MAX_DEPTH = 64


def shorten(wire: Any) -> Any:
    """The short form of a wire form."""
    if isinstance(wire, dict):
        return _short_object(wire) if f"{_WIRE}name" in wire else _short_mapping(wire)
    return [shorten(item) for item in wire] if isinstance(wire, (list, tuple)) else wire


def _short_object(wire: dict[str, Any]) -> dict[str, Any]:
    head = [wire[f"{_WIRE}name"], wire[f"{_WIRE}version"], wire[f"{_WIRE}namespace"]]
    if head[2] == _OURS:
        head.pop()
    if head[1:] == [_OLDEST]:
        head.pop()
    return {HEAD: " ".join(head), **{name: shorten(value) for name, value in wire[f"{_WIRE}data"].items()}}


def _short_mapping(mapping: dict[str, Any]) -> dict[str, Any]:
    short = {key: shorten(value) for key, value in mapping.items()}
    return {HEAD: "", _PLAIN: short} if HEAD in mapping else short


def lengthen(short: Any, where: str, depth: int = 0) -> Any:
    """The wire form of a short form, found at ``where``. Raises MalformedOffer."""
    if depth > _MAX_DEPTH:
        raise exception.MalformedOffer(field=where, reason="objects are inside each other too deeply")
    if isinstance(short, dict):
        return _long_object(short, where, depth + 1) if HEAD in short else _long_mapping(short, where, depth + 1)
    if isinstance(short, list):
        return [lengthen(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(short)]
    return short


def _long_mapping(short: dict[str, Any], where: str, depth: int) -> dict[str, Any]:
    return {key: lengthen(value, f"{where}.{key}", depth) for key, value in short.items()}


def _long_object(short: dict[str, Any], where: str, depth: int) -> dict[str, Any]:
    head = short[HEAD]
    if head == "" and isinstance(short.get(_PLAIN), dict):
        return _long_mapping(short[_PLAIN], where, depth)
    if not isinstance(head, str) or not 1 <= len(head.split(" ")) <= 3:
        reason = f"a name, and a version unless it is {_OLDEST}, is needed, not {shown(head)}"
        raise exception.MalformedOffer(field=f"{where}.{HEAD}", reason=reason)
    name, version, namespace = [*head.split(" "), *(_OLDEST, _OURS)[len(head.split(" ")) - 1 :]]
    fields = {key: value for key, value in short.items() if key != HEAD}
    return {
        f"{_WIRE}name": name,
        f"{_WIRE}namespace": namespace,
        f"{_WIRE}version": version,
        f"{_WIRE}data": _long_mapping(fields, where, depth),
    }
