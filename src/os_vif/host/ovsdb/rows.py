# SPDX-License-Identifier: Apache-2.0
"""Values, conditions and operations of OVSDB in their JSON form (RFC 7047, section 5)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

#: An operation of a transaction.
Row = dict[str, Any]

#: Names of rows are made from this and what they stand for. So a transaction whose answer was lost can be told to have
#: been done, and cannot be done twice.
_NAMESPACE = uuid.UUID("0e5f3b8e-2f0d-5b0f-9a52-6f766966d0b5")


def row_id(*parts: str) -> str:
    """The UUID of a row of ours."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def ref(row: str) -> list[str]:
    """A reference to a row."""
    return ["uuid", row]


def refs(rows: Iterable[str]) -> list[Any]:
    """A set of references to rows."""
    return ["set", [ref(row) for row in rows]]


def to_map(values: Mapping[str, str]) -> list[Any]:
    """A map of strings."""
    return ["map", [[key, value] for key, value in sorted(values.items())]]


def from_map(value: Any) -> dict[str, str]:
    """The map that a column holds."""
    return dict(value[1])


def from_set(value: Any) -> list[Any]:
    """The values of a column that holds any number of them: one alone is not wrapped."""
    if isinstance(value, list) and value and value[0] == "set":
        return [_unwrapped(item) for item in value[1]]
    return [_unwrapped(value)]


def from_optional(value: Any) -> Any:
    """The value of a column that holds one or none; None for none."""
    return next(iter(from_set(value)), None)


def _unwrapped(value: Any) -> Any:
    return value[1] if isinstance(value, list) and value and value[0] == "uuid" else value


def select(table: str, where: list[Any], columns: Iterable[str]) -> Row:
    """Reads columns of the rows for which the conditions hold."""
    return {"op": "select", "table": table, "where": where, "columns": list(columns)}


def insert(table: str, row_uuid: str, values: Mapping[str, Any]) -> Row:
    """Adds a row under a UUID of our choice (Open vSwitch 2.13)."""
    return {"op": "insert", "table": table, "uuid": row_uuid, "row": dict(values)}


def update(table: str, where: list[Any], values: Mapping[str, Any]) -> Row:
    """Sets columns."""
    return {"op": "update", "table": table, "where": where, "row": dict(values)}


def delete(table: str, where: list[Any]) -> Row:
    """Removes rows."""
    return {"op": "delete", "table": table, "where": where}


def mutate(table: str, where: list[Any], column: str, mutator: str, value: Any) -> Row:
    """Inserts into, or deletes from, a set or a map."""
    return {"op": "mutate", "table": table, "where": where, "mutations": [[column, mutator, value]]}


def set_keys(table: str, where: list[Any], column: str, values: Mapping[str, str]) -> Row:
    """Gives keys of a map new values, and leaves the other keys alone."""
    keys = ["set", sorted(values)]
    return {
        "op": "mutate",
        "table": table,
        "where": where,
        "mutations": [[column, "delete", keys], [column, "insert", to_map(values)]],
    }


def unless_there(table: str, where: list[Any], column: str) -> Row:
    """Lets a transaction fail when there is such a row."""
    return _guard(table, where, column, [])


def if_there(table: str, column: str, value: Any) -> Row:
    """Lets a transaction fail unless there is just one row with that value."""
    return _guard(table, [[column, "==", value]], column, [{column: value}])


def until_reached(table: str, column: str, value: int, milliseconds: int) -> Row:
    """Waits until the column of some row has at least that value; the transaction fails when that takes longer."""
    return {
        "op": "wait",
        "timeout": milliseconds,
        "table": table,
        "where": [[column, ">=", value]],
        "columns": [column],
        "until": "!=",
        "rows": [],
    }


def if_alone(table: str, row: str, column: str, value: Any) -> Row:
    """Lets a transaction fail unless a column of the row holds just that value."""
    return _guard(table, [["_uuid", "==", ref(row)]], column, [{column: value}])


def _guard(table: str, where: list[Any], column: str, rows: list[Row]) -> Row:
    guard = {"op": "wait", "timeout": 0, "table": table, "where": where, "columns": [column]}
    return guard | {"until": "==", "rows": rows}
