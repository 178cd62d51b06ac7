# SPDX-License-Identifier: Apache-2.0
"""What the switch has made of a transaction: ovs-vswitchd counts what it has acted on, and says what it could not open.

It copies ``next_cfg``, which a transaction increments, to ``cur_cfg`` when it has acted on that transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from os_vif import exception
from os_vif.host.ovsdb.database import Database, OutcomeUnknown, TransactionFailed
from os_vif.host.ovsdb.rows import Row, from_map, from_optional, mutate, select, until_reached
from os_vif.host.process.deadline import Deadline

#: Appended to a transaction, lets one wait for the switch to act on it.
COUNT: tuple[Row, ...] = (
    mutate("Open_vSwitch", [], "next_cfg", "+=", 1),
    select("Open_vSwitch", [], ["next_cfg"]),
)

_NOT_OPENED = (
    "Open vSwitch has not opened it and does not say why; the log of ovs-vswitchd may. (Bridges on the datapath system"
    " need the kernel's module openvswitch.)"
)


def complaints(database: Database, answers: Sequence[Any], names: Sequence[str], deadline: Deadline) -> list[str]:
    """What speaks against each interface once the switch has acted on a transaction; "" when all is well.

    ``answers`` are those to the transaction, COUNT included.
    """
    if database.switch.seconds() < deadline.remaining():
        deadline = Deadline(database.switch.seconds())
    try:
        wait = _until_acted_on(database, answers, deadline)
        found = database.transact([wait, *(_question(name) for name in names)], deadline)[1:]
        database.switch.regain()
        return [_complaint(database, answer["rows"], deadline) for answer in found]
    except (TransactionFailed, exception.DeadlineExceeded):
        database.switch.lose()
        text = f"Open vSwitch did not act on it within {deadline.seconds:g} seconds: is ovs-vswitchd running?"
    except (OSError, OutcomeUnknown) as error:
        text = str(error)
    return [text for _ in names]


def _until_acted_on(database: Database, answers: Sequence[Any], deadline: Deadline) -> Row:
    # Without an answer (it was lost), any later count will do.
    counted = answers[-1] if answers[-1] else database.transact(COUNT[1:], deadline)[0]
    if not counted["rows"]:
        raise OutcomeUnknown("the database of Open vSwitch is empty: `ovs-vsctl init` has not been run")
    target = counted["rows"][0]["next_cfg"]
    # A little before the deadline, so that it is the server that tells of it.
    milliseconds = max(int(deadline.remaining() * 1000) - 500, 1)
    return until_reached("Open_vSwitch", "cur_cfg", target, milliseconds)


def _question(name: str) -> Row:
    return select("Interface", [["name", "==", name]], ["ofport", "error", "type", "options"])


def _complaint(database: Database, rows: Sequence[Row], deadline: Deadline) -> str:
    for row in rows:
        text: str = from_optional(row["error"]) or ""
        # A patch port is without a peer until that is made.
        if text and (row["type"] != "patch" or _has_peer(database, row, deadline)):
            return text
        if not text and from_optional(row["ofport"]) is None:
            return _NOT_OPENED
    return ""


def _has_peer(database: Database, row: Row, deadline: Deadline) -> bool:
    peer = from_map(row["options"]).get("peer", "")
    return bool(database.transact([select("Interface", [["name", "==", peer]], ["name"])], deadline)[0]["rows"])
