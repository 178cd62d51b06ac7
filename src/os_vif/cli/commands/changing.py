# SPDX-License-Identifier: Apache-2.0
"""plug, unplug and repair: the commands that change the host for VIFs."""

from __future__ import annotations

import argparse
import functools
import time
from typing import TYPE_CHECKING, Any

from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers, add_files, complete_ids

if TYPE_CHECKING:
    from os_vif.cli.reading import Entry
    from os_vif.cli.subjects import Subject
    from os_vif.lifecycle import Guests


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    plug = commands.add(
        "plug",
        _plug,
        help="wire VIFs into this host",
        description="Plugging what is plugged writes nothing. A failure leaves the host as it was.",
    )
    add_files(plug)
    unplug = commands.add(
        "unplug",
        _unplug,
        help="take away what plugging VIFs has made",
        description="The record of the VIF decides what that is; with --id the file is not needed.",
    )
    add_files(unplug, optional=True)
    complete_ids(unplug.add_argument("--id", dest="ids", metavar="ID", action="append", help="a recorded VIF's id"))
    repair = commands.add(
        "repair",
        _repair,
        help="bring the host back to what VIFs need, and tell what that took",
        description="Without FILE: everything recorded here, and the DHCP servers of networks. Exit code 4 when "
        "something still differs, 7 when nothing does, and a guest is still cut off, or likely so.",
    )
    add_files(repair, optional=True)
    repair.add_argument(
        "--anew",
        action="store_true",
        help="make again also what is gone as a whole: another program has unplugged it",
    )


def _plug(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli import reading, session

    session.open_library(arguments)
    entries = reading.entries(arguments.files)
    reading.check_sound(entries)
    started = time.monotonic()
    _plug_read(entries, output)
    _tell(output, "plugged", [_told(entry) for entry in entries], started)
    return ExitCode.OK


def _plug_read(entries: list[Entry], output: Output) -> None:
    import os_vif
    from os_vif.cli import reading
    from os_vif.cli.progress import progress

    plugged = 0

    def count(done: int, total: int) -> None:
        nonlocal plugged
        plugged = done
        report(done, total)

    try:
        with reading.located(entries), progress(output, "plugging", len(entries)) as report:
            os_vif.plug_many([(entry.vif, entry.instance) for entry in entries], progress=count)
    except CommandError as error:
        if plugged:
            error.hint = f"The first {plugged} of {_count(len(entries))} are plugged. {error.hint}".strip()
        raise


def _unplug(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli import reading, session

    ids = arguments.ids or []
    if bool(ids) == bool(arguments.files):
        raise CommandError(
            "Either FILE or --id ID is needed." if not ids else "FILE and --id do not go together.",
            code="usage",
            exit_code=ExitCode.USAGE,
            hint="`vif unplug --help` shows both ways, `vif list` the ids.",
        )
    session.open_library(arguments)
    started = time.monotonic()
    if ids:
        told = _unplug_recorded(ids, output)
    else:
        entries = reading.entries(arguments.files)
        _unplug_read(entries, output)
        told = [_told(entry) for entry in entries]
    _tell(output, "unplugged", told, started)
    return ExitCode.OK


def _unplug_read(entries: list[Entry], output: Output) -> None:
    import os_vif
    from os_vif.cli import reading
    from os_vif.cli.progress import progress

    with reading.located(entries), progress(output, "unplugging", len(entries)) as report:
        os_vif.unplug_many([(entry.vif, entry.instance) for entry in entries], progress=report)


def _unplug_recorded(ids: list[str], output: Output) -> list[dict[str, Any]]:
    import os_vif
    from os_vif.cli import recorded
    from os_vif.cli.progress import progress

    here = recorded.here()
    # All are looked up before the first is touched: a typing error shall not leave half of it done.
    found = [recorded.find(text, here) for text in dict.fromkeys(ids)]
    with progress(output, "unplugging", len(found)) as report:
        for number, record in enumerate(found, 1):
            os_vif.unplug_recorded(record.vif_id)
            report(number, len(found))
    return [{"vif_id": r.vif_id, "plugin": r.plugin, "device": recorded.device(r)} for r in found]


def _repair(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import lifecycle
    from os_vif.cli import lost, services, session, states, subjects, unavailable

    session.open_library(arguments)
    chosen = subjects.chosen(arguments.files)
    unknown = lost.found()
    lost.warn(unknown, output)
    unavailable.warn(output)
    started = time.monotonic()
    mend = functools.partial(_repaired, anew=arguments.anew, guests=lifecycle.Guests())
    results, code = subjects.each(chosen, output, "repairing", mend)
    served: list[dict[str, Any]] = []
    if not arguments.files:
        served, failure = services.repaired(output)
        code = code or failure
    not_recorded = [{"vif_id": vif_id or None, "what": whats} for vif_id, whats in lost.by_vif(unknown).items()]
    told = {"vifs": results, "services": served, "not_recorded": not_recorded}
    output.document(told | {"milliseconds": _milliseconds(started)})
    for result in results:
        _show_repaired(result, output)
    services.show_repaired(served, output)
    changed = sum(1 for result in results if result.get("steps") and result["state"] == "ok")
    output.line(f"{changed} of {_count(len(results))} repaired in {_milliseconds(started):.0f} ms.")
    return code or (ExitCode.DIFFERS if unknown else states.exit_code(results))


def _repaired(subject: Subject, *, anew: bool, guests: Guests) -> dict[str, Any]:
    """What was done, and what a check says afterwards."""
    import os_vif
    from os_vif.cli import states, subjects

    if not subjects.is_complete(subject):
        return _left(subjects.ONLY_MARKS)
    vif, instance = subject.pair()
    if not subjects.can_be_planned(vif):
        return _left(f"the plugin {vif.plugin} does its work itself; plug it again")
    with subjects.located(subject):
        steps = [step.text for step in os_vif.repair(vif, instance, anew=anew)]
        steps += guests.repaired(subject.vif_id)
        return {"steps": steps, "note": "", **states.told(guests.checked(os_vif.check(vif, instance)))}


def _left(note: str) -> dict[str, Any]:
    from os_vif.cli import states

    return {"steps": [], "note": note, **states.with_state({"ok": None, "differences": []})}


def _show_repaired(result: dict[str, Any], output: Output) -> None:
    from os_vif.cli import states

    if result["error"]:
        output.line(f"failed    {result['vif_id']}", "bad")
        return
    word, style = states.WORDS[result["state"]]
    if result["note"]:
        output.line(f"left      {result['vif_id']}: {result['note']}", "warn")
    elif not result["ok"]:
        output.line(f"{word:<9} {result['vif_id']}", style)
    elif result["steps"]:
        output.line(f"repaired  {result['vif_id']}", "good")
    for step in result["steps"]:
        output.line(f"          {'done: ' if not result['ok'] else ''}{step}")
    for line in states.lines(result):
        output.line(f"          {line}")


def _told(entry: Entry) -> dict[str, Any]:
    from os_vif.plugging import requests

    device = getattr(entry.vif, "vif_name", None) or getattr(entry.vif, "dev_address", None)
    return {"vif_id": requests.identity(entry.vif), "plugin": entry.vif.plugin, "device": str(device or "-")}


def _tell(output: Output, done: str, vifs: list[dict[str, Any]], started: float) -> None:
    output.document({"action": done, "vifs": vifs, "milliseconds": _milliseconds(started)})
    output.table(
        ("device", "plugin", "result", "VIF"), [(one["device"], one["plugin"], done, one["vif_id"]) for one in vifs]
    )
    output.line(f"{_count(len(vifs))} {done} in {_milliseconds(started):.0f} ms.")


def _milliseconds(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)


def _count(number: int) -> str:
    return f"{number} VIF" if number == 1 else f"{number} VIFs"
