# SPDX-License-Identifier: Apache-2.0
"""The database of Open vSwitch: transactions that are done once, whatever happens to the connection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from os_vif.host.deadline import Deadline
from os_vif.host.ovsdb import Client, ConnectionLost
from os_vif.host.ovsdb_endpoint import parse
from os_vif.host.ovsdb_rows import Row, select

_NAME = "Open_vSwitch"


class TransactionFailed(Exception):
    """A transaction was refused as a whole. ``index`` is the operation at fault, ``details`` the server's words."""

    def __init__(self, index: int, kind: str, details: str) -> None:
        super().__init__(f"{kind}: {details}" if details else kind)
        self.index = index
        self.kind = kind
        self.details = details


class Database:
    """``text`` says where it is, as in the option ovsdb_connection."""

    def __init__(self, text: str) -> None:
        self._client = Client(parse(text))
        self._tables: dict[str, set[str]] | None = None

    def close(self) -> None:
        """Closes the connection; the next use makes a new one."""
        self._client.close()

    def columns(self, table: str, deadline: Deadline) -> set[str]:
        """The columns that a table has in the schema of this server; empty where it has no such table."""
        if self._tables is None:
            schema = self._client.call("get_schema", [_NAME], deadline)
            self._tables = {name: set(body["columns"]) for name, body in schema["tables"].items()}
        return self._tables.get(table, set())

    def transact(self, operations: Sequence[Row], deadline: Deadline) -> list[Any]:
        """Does the operations, all or none, and returns their results.

        When the answer is lost it is found out whether they were done, by the rows that they insert; if not, or if they
        insert none (and so can be done again), they are sent again.

        Raises TransactionFailed, DeadlineExceeded, and OSError when no server can be reached.
        """
        sent = False
        while True:
            try:
                if sent and self._was_done(operations, deadline):
                    return [{} for _ in operations]
                sent = True
                answer = self._client.call("transact", [_NAME, *operations], deadline)
                return _checked(answer, operations)
            except ConnectionLost:
                deadline.check("the answer from OVSDB, whose connection was lost")

    def _was_done(self, operations: Sequence[Row], deadline: Deadline) -> bool:
        inserted = next((row for row in operations if row["op"] == "insert" and "uuid" in row), None)
        if inserted is None:
            return False
        question = select(inserted["table"], [["_uuid", "==", ["uuid", inserted["uuid"]]]], ["_uuid"])
        answer = self._client.call("transact", [_NAME, question], deadline)
        return bool(_checked(answer, [question])[0]["rows"])


def _checked(answer: Any, operations: Sequence[Row]) -> list[Any]:
    if not isinstance(answer, list):
        raise TransactionFailed(0, "malformed answer", f"{answer!r}")
    for index, result in enumerate(answer):
        if isinstance(result, dict) and "error" in result:
            # An error of the commit as a whole comes after the results of all operations.
            at_fault = min(index, max(len(operations) - 1, 0))
            raise TransactionFailed(at_fault, str(result["error"]), str(result.get("details", "")))
    if len(answer) < len(operations):
        raise TransactionFailed(
            len(answer), "malformed answer", f"{len(answer)} results for {len(operations)} operations"
        )
    return answer
