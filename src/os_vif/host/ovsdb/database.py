# SPDX-License-Identifier: Apache-2.0
"""The database of Open vSwitch: transactions that are done once, whatever happens to the connection."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from os_vif import exception
from os_vif.host.ovsdb import columns
from os_vif.host.ovsdb.client import Client, ConnectionLost, ConnectionUnusable, ServerError
from os_vif.host.ovsdb.endpoint import Credentials, parse
from os_vif.host.ovsdb.rows import Row, select
from os_vif.host.process.deadline import Deadline
from os_vif.host.process.patience import Patience

_NAME = "Open_vSwitch"
#: Seconds before a request is made again on a new connection: a server that closes them all is not to be flooded.
_PAUSE = 0.02
#: Seconds that an answer may take: for who only looks, and for everybody where somebody has waited in vain lately.
_LOOK, _AGAIN = 10.0, 10.0

#: Seconds for a switch to say that it is there; one that has lately failed to say so is asked in passing.
_ANSWER, _ANSWER_AGAIN = 3.0, 0.1


class TransactionFailed(Exception):
    """A transaction was refused as a whole. ``index`` is the operation at fault, ``details`` the server's words."""

    def __init__(self, index: int, kind: str, details: str) -> None:
        super().__init__(f"{kind}: {details}" if details else kind)
        self.index = index
        self.kind = kind
        self.details = details


class OutcomeUnknown(Exception):
    """A transaction was sent, and it cannot be told whether it was done."""


class Database:
    """``text`` says where it is, as in the option ovsdb_connection."""

    def __init__(self, text: str, credentials: Credentials | None = None) -> None:
        self._client = Client(parse(text), credentials)
        #: With the server, and with the switch, which acts on what the server has.
        self._server = Patience(first=math.inf, again=_AGAIN, look=_LOOK)
        self.switch = Patience(first=math.inf, again=_AGAIN, look=_LOOK)
        #: For whether the switch answers at all.
        self.switch_answers = Patience(first=_ANSWER, again=_ANSWER_AGAIN, look=_ANSWER)

    def close(self) -> None:
        """Closes the connection; the next use makes a new one."""
        self._client.close()

    @property
    def sockets(self) -> tuple[Path, ...]:
        """The sockets that it is reached by on this machine."""
        return tuple(Path(one.host) for one in self._client.endpoints if one.kind == "unix")

    def is_lock_free(self, name: str, deadline: Deadline) -> bool:
        """Whether nobody holds the lock of that name (RFC 7047, 4.1.8): a daemon that works on the database does.

        Raises OSError, ConnectionLost, ServerError, DeadlineExceeded.
        """
        # A lock belongs to its connection. Where nobody has it we do for a moment, until this one is closed.
        connection = self._client.connection_apart(deadline)
        try:
            answer = connection.call("lock", [name], deadline)
            return isinstance(answer, dict) and answer.get("locked") is True
        finally:
            connection.close()

    def deadline(self, seconds: float) -> Deadline:
        """``seconds`` from now, or sooner for who only looks, or where somebody has waited for it in vain lately."""
        return Deadline(min(seconds, self._server.seconds()))

    def transact(self, operations: Sequence[Row], deadline: Deadline) -> list[Any]:
        """Does the operations, all or none, and returns their results.

        When the answer is lost it is found out whether they were done, by the rows that they insert; if not, or if they
        insert none (and so can be done again), they are sent again.

        Raises TransactionFailed when they were refused, OSError and DeadlineExceeded when they could not be sent, and
        OutcomeUnknown for all that goes wrong after that.
        """
        lost: ConnectionLost | None = None
        while True:
            try:
                if lost and self._was_done(operations, deadline):
                    return [{} for _ in operations]
                connection = self._client.connection(deadline)
            except ConnectionLost as error:
                lost = error
            except (OSError, exception.DeadlineExceeded) as error:
                if lost:
                    raise OutcomeUnknown(f"the connection was lost ({lost}), and then {error}") from error
                raise
            else:
                try:
                    answer = connection.call("transact", [_NAME, *operations], deadline)
                    self._server.regain()
                    return _checked(answer, operations)
                except ServerError as error:
                    raise TransactionFailed(0, error.kind, error.details) from error
                except exception.DeadlineExceeded as error:
                    self._server.lose()
                    raise OutcomeUnknown(str(error)) from error
                except ConnectionLost as error:
                    lost = error
            self._check_worthwhile(lost, deadline)

    def _check_worthwhile(self, lost: ConnectionLost, deadline: Deadline) -> None:
        """Raises OutcomeUnknown where it is no use, or too late, to ask again."""
        if isinstance(lost, ConnectionUnusable) or deadline.remaining() <= _PAUSE:
            raise OutcomeUnknown(f"the connection to {self._client} was lost: {lost}") from lost
        time.sleep(_PAUSE)

    def _was_done(self, operations: Sequence[Row], deadline: Deadline) -> bool:
        inserted = next((row for row in operations if row["op"] == "insert" and "uuid" in row), None)
        if inserted is None:
            return False
        question = select(inserted["table"], [["_uuid", "==", ["uuid", inserted["uuid"]]]], ["_uuid"])
        answer = self._client.connection(deadline).call("transact", [_NAME, question], deadline)
        return bool(_checked(answer, [question])[0]["rows"])


def _checked(answer: Any, operations: Sequence[Row]) -> list[Any]:
    if not isinstance(answer, list):
        raise OutcomeUnknown(f"the server answered with {str(answer)[:80]!r}, which is no list of results")
    for index, result in enumerate(answer):
        if isinstance(result, dict) and "error" in result:
            # An error of the commit as a whole comes after the results of all operations.
            at_fault = min(index, max(len(operations) - 1, 0))
            raise TransactionFailed(at_fault, str(result["error"]), str(result.get("details") or ""))
    if len(answer) < len(operations) or not all(map(_is_result, operations, answer)):
        raise OutcomeUnknown(f"the server answered with {str(answer)[:80]!r}, which does not fit what it was asked")
    for operation, result in zip(operations, answer, strict=False):
        if operation["op"] == "select":
            wrong = columns.problem(operation["table"], operation["columns"], result["rows"])
            if wrong:
                raise OutcomeUnknown(f"the server's answer is not of its schema: {wrong}")
    return answer


def _is_result(operation: Row, result: Any) -> bool:
    return isinstance(result, dict) and (operation["op"] != "select" or isinstance(result.get("rows"), list))
