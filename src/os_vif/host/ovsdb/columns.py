# SPDX-License-Identifier: Apache-2.0
"""Whether rows that a server answers with have the form of its schema (RFC 7047, section 5.1; ovs-vswitchd.conf.db(5)).

Whoever reads them then takes them apart without asking again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from os_vif.foreign import shown

Check = Callable[[Any], bool]


def problem(table: str, columns: list[str], rows: list[Any]) -> str:
    """What is wrong with the first row that is not as it should be; "" when all are."""
    for row in rows:
        if not isinstance(row, dict):
            return f"a row of {table} is {shown(row)}"
        for column in columns:
            if column not in row:
                return f"a row of {table} has no column {column}"
            meaning, fits = _KINDS.get(column, ("a value", _is_value))
            if not fits(row[column]):
                return f"{table}.{column} is {shown(row[column])}, and not {meaning}"
    return ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_uuid(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] == "uuid" and isinstance(value[1], str)


def _is_map(value: Any) -> bool:
    if not (isinstance(value, list) and len(value) == 2 and value[0] == "map" and isinstance(value[1], list)):
        return False
    return all(isinstance(pair, list) and len(pair) == 2 and all(map(_is_text, pair)) for pair in value[1])


def _is_set_of(fits: Check) -> Check:
    """One alone is not wrapped."""

    def check(value: Any) -> bool:
        return all(map(fits, value[1])) if _is_wrapped(value) else fits(value)

    return check


def _is_one_or_none_of(fits: Check) -> Check:
    def check(value: Any) -> bool:
        return (len(value[1]) <= 1 and all(map(fits, value[1]))) if _is_wrapped(value) else fits(value)

    return check


def _is_wrapped(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and value[0] == "set" and isinstance(value[1], list)


def _is_atom(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) or _is_uuid(value)


def _is_value(value: Any) -> bool:
    return _is_map(value) or _is_set_of(_is_atom)(value)


_MAP = ("a map of strings", _is_map)
_TEXT, _NUMBER = ("a string", _is_text), ("a number", _is_number)
_TEXT_OR_NONE = ("a string, or none", _is_one_or_none_of(_is_text))
_NUMBER_OR_NONE = ("a number, or none", _is_one_or_none_of(_is_number))
_TEXTS = ("a set of strings", _is_set_of(_is_text))

#: By name: columns of one name are of one type in all tables that are read here.
_KINDS: Mapping[str, tuple[str, Check]] = {
    "_uuid": ("a UUID", _is_uuid),
    "datapath_type": _TEXT,
    "datapath_types": _TEXTS,
    "error": _TEXT_OR_NONE,
    "external_ids": _MAP,
    "iface_types": _TEXTS,
    "link_state": _TEXT_OR_NONE,
    "mtu_request": _NUMBER_OR_NONE,
    "name": _TEXT,
    "next_cfg": _NUMBER,
    "ofport": _NUMBER_OR_NONE,
    "options": _MAP,
    "other_config": _MAP,
    "ports": ("a set of UUIDs", _is_set_of(_is_uuid)),
    "qos": ("a UUID, or none", _is_one_or_none_of(_is_uuid)),
    "status": _MAP,
    "tag": _NUMBER_OR_NONE,
    "trunks": ("a set of numbers", _is_set_of(_is_number)),
    "type": _TEXT,
    "vlan_mode": _TEXT_OR_NONE,
}
