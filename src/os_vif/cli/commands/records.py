# SPDX-License-Identifier: Apache-2.0
"""list and show: what the journal knows."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers, complete_ids

if TYPE_CHECKING:
    from os_vif.host.journal.journal import Scope

#: The status of what is on the host and names this journal, which does not know it.
LOST = "not recorded"


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    commands.add("list", _list, help="show which VIFs are plugged, and which were before the reboot")
    show = commands.add(
        "show",
        _show,
        help="show all that is known of a VIF: what it uses on the host, and what was there before",
        description="The beginning of an id is enough where it fits one VIF only.",
    )
    complete_ids(show.add_argument("id", metavar="ID", help="the VIF's id"))
    show.add_argument(
        "--request", action="store_true", help="print the VIF and its instance as they were received, for vif plug"
    )


def _list(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli import lost, recorded, session, unavailable
    from os_vif.plugging import current

    session.open_journal(arguments)
    scope = current.engine().scope()
    records = recorded.all_records()
    unknown = lost.found(switches=False)
    lost.warn(unknown, output)
    unavailable.warn(output)
    vifs = lost.by_vif(unknown)
    output.document(
        [*(recorded.to_primitive(record, scope) for record in records), *(_lost(vif_id, scope) for vif_id in vifs)]
    )
    if not records and not vifs:
        output.line(f"Nothing is recorded in {recorded.place_of_journal()}.")
        return ExitCode.OK
    rows = [
        (recorded.device(r), r.plugin, r.status, recorded.since(r), recorded.where(r, scope), r.vif_id) for r in records
    ]
    output.table(("device", "plugin", "status", "since", "where", "VIF"), rows)
    return ExitCode.OK


def _lost(vif_id: str, scope: Scope) -> dict[str, Any]:
    """In the form of what is recorded; ``vif_id`` is null for what is shared."""
    unknown = dict.fromkeys(("plugin", "device", "generation", "changed"))
    here = {"where": "here", "boot": scope.boot, "namespace": scope.namespace}
    return {"vif_id": vif_id or None, "status": LOST, **unknown, **here}


def _show(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli import recorded, session, unavailable
    from os_vif.plugging import current

    session.open_journal(arguments)
    engine = current.engine()
    scope = engine.scope()
    everywhere = sorted(recorded.all_records(), key=lambda record: record.scope == scope)
    record = recorded.find(arguments.id, everywhere)
    request = json.loads(record.request)
    if arguments.request:
        # Without what is between the record and the engine: the file is for vif plug.
        output.json({name: request[name] for name in ("vif", "instance") if name in request})
        return ExitCode.OK
    held = [_held(holding) for holding in engine.journal.holdings(record.scope, record.vif_id)]
    steps = json.loads(record.steps)
    told = recorded.to_primitive(record, scope)
    output.document(told | {"resources": held, "steps": steps, "request": request})
    _show_record(told | {"changed": recorded.since(record)}, held, steps, output)
    unavailable.warn(output, record.vif_id)
    return ExitCode.OK


def _held(holding: Any) -> dict[str, Any]:
    from os_vif.host import state

    return {
        "resource": holding.resource.label,
        "made": holding.made,
        "shared": holding.resource.shared,
        "before": {name: value for name, value in holding.prior.items() if not (holding.made and name == "index")},
        "stated": state.to_primitive(holding.resource),
    }


def _show_record(told: dict[str, Any], held: list[dict[str, Any]], steps: list[dict[str, Any]], output: Output) -> None:
    names = ("vif_id", "plugin", "device", "status", "changed", "generation", "where")
    for name in names:
        output.line(f"{name.replace('_', ' '):<11} {told[name]}")
    if held:
        output.line()
        output.table(
            ("uses", "made by us", "shared", "before"),
            [(h["resource"], _yes(h["made"]), _yes(h["shared"]), _before(h["before"])) for h in held],
        )
    if steps:
        output.line(f"{told['status']} was cut off; these steps were under way:", "warn")
        for step in steps:
            output.line(f"  {step['text']}")


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _before(prior: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in prior.items()) or "-"
