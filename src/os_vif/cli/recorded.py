# SPDX-License-Identifier: Apache-2.0
"""VIFs as the journal knows them: looking up by id, and what to show of them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.plugging import current

if TYPE_CHECKING:
    from os_vif.host.journal.journal import Damaged, Record, Scope

_DATA = "versioned_object.data"

#: Shorter beginnings of an id are too likely to be a slip of the finger.
_SHORTEST = 4


def all_records() -> list[Record]:
    """Every record, of all boots and network namespaces, oldest first."""
    return list(current.engine().journal.records())


def here() -> list[Record]:
    """The records of this boot and network namespace, oldest first."""
    scope = current.engine().scope()
    return [record for record in all_records() if record.scope == scope]


def damaged_here() -> list[Damaged]:
    """What is recorded of this boot and network namespace and cannot be read."""
    engine = current.engine()
    damaged = [*engine.journal.sorted_out()[1], *engine.journal.damaged_holdings()]
    return [one for one in damaged if one.scope == engine.scope()]


def find(text: str, among: list[Record]) -> Record:
    """The record of that id, or the only one whose id begins so. Raises CommandError."""
    exact = [record for record in among if record.vif_id == text]
    fitting = exact or [record for record in among if len(text) >= _SHORTEST and record.vif_id.startswith(text)]
    if not fitting:
        raise _not_recorded(text)
    if len({record.vif_id for record in fitting}) > 1:
        ids = ", ".join(record.vif_id for record in fitting)
        raise CommandError(
            f"Several ids begin with {text}: {ids}.",
            code="ambiguous",
            exit_code=ExitCode.USAGE,
            hint="Give more of it.",
        )
    return fitting[-1]


def _not_recorded(vif_id: str) -> CommandError:
    return CommandError(
        f"No VIF {vif_id} is recorded here ({place_of_journal()}).",
        code="not-recorded",
        exit_code=ExitCode.NOT_RECORDED,
        hint="`vif list` shows what is; --state-dir chooses another journal.",
        vif_id=vif_id,
    )


def place_of_journal() -> str:
    """The file that holds the journal."""
    return str(current.engine().journal.path)


def where(record: Record, scope: Scope) -> str:
    """Where a record holds, seen from here."""
    if record.scope == scope:
        return "here"
    if record.scope.boot == scope.boot:
        return "another network namespace"
    return "before the reboot" if record.scope.namespace == scope.namespace else "a namespace before the reboot"


def device(record: Record) -> str:
    """The device of a VIF, as far as the VIF itself tells."""
    data = json.loads(record.request)
    for name in ("vif", _DATA):
        data = data.get(name) if isinstance(data, dict) else None
    known = data if isinstance(data, dict) else {}
    return str(known.get("vif_name") or known.get("dev_address") or "-")


def since(record: Record) -> str:
    """When a record last changed, in local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.changed))


def to_primitive(record: Record, scope: Scope) -> dict[str, Any]:
    """The JSON form."""
    return {
        "vif_id": record.vif_id,
        "plugin": record.plugin,
        "device": device(record),
        "status": record.status,
        "generation": record.generation,
        "changed": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.changed)),
        "where": where(record, scope),
        "boot": record.scope.boot,
        "namespace": record.scope.namespace,
    }
