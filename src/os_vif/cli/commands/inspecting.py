# SPDX-License-Identifier: Apache-2.0
"""plan and check: looking without touching."""

from __future__ import annotations

import argparse
import functools
from typing import TYPE_CHECKING, Any

from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers, add_files

if TYPE_CHECKING:
    from os_vif.cli.subjects import Subject
    from os_vif.lifecycle import Guests


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    plan = commands.add(
        "plan",
        _plan,
        help="show what plug would do, step by step (dry run)",
        description="What the VIFs share is shown once.",
    )
    add_files(plan)
    plan.add_argument("--unplug", action="store_true", help="show what unplug would do instead")
    check = commands.add(
        "check",
        _check,
        help="compare the host with what VIFs need",
        description="Without FILE: everything recorded here, the DHCP servers of networks, and what names this "
        "journal and is not recorded. Exit code 4 when there are differences; 7 when there are none, and a guest "
        "is cut off, or likely so, by what is not os-vif's to change.",
    )
    add_files(check, optional=True)


def _plan(arguments: argparse.Namespace, output: Output) -> ExitCode:
    import os_vif
    from os_vif.cli import reading, session

    session.open_library(arguments)
    entries = reading.entries(arguments.files)
    pairs = [(entry.vif, entry.instance) for entry in entries]
    if not arguments.unplug:
        reading.check_sound(entries)
    with reading.located(entries):
        plan = os_vif.plan_unplug_many(pairs) if arguments.unplug else os_vif.plan_many(pairs)
    output.document(plan.to_primitive())
    show_plan(plan, output)
    return ExitCode.OK


def show_plan(plan: Any, output: Output) -> None:
    """A plan for people."""
    if not len(plan):
        output.line("Nothing to do: the host is as it should be.", "good")
    for number, step in enumerate(plan, 1):
        output.line(f"{number:>3}. {step.text}")
    for note in plan.notes:
        output.line(f"note: {note}", "warn")


def _check(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import lifecycle
    from os_vif.cli import lost, recorded, services, session, states, subjects, unavailable

    session.open_library(arguments)
    chosen = subjects.chosen(arguments.files)
    unknown = lost.found()
    lost.warn(unknown, output)
    unavailable.warn(output)
    if not chosen:
        output.line(f"Nothing is recorded here ({recorded.place_of_journal()}).")
    checked = functools.partial(_checked, guests=lifecycle.Guests())
    results, code = subjects.each(chosen, output, "checking", checked)
    if not arguments.files:
        served, failure = services.checked(output)
        results += [states.with_state(one) for one in (*served, *lost.results(unknown))]
        code = code or failure
    output.document(results)
    _show_results(results, output)
    return code or states.exit_code(results)


def _checked(subject: Subject, *, guests: Guests) -> dict[str, Any]:
    """``ok`` and ``state`` are None where nothing can be told."""
    import os_vif
    from os_vif.cli import states, subjects

    if not subjects.is_complete(subject):
        from os_vif import lifecycle

        missing = lifecycle.missing_devices(subject.record)
        ok = False if missing else None
        note = subjects.ONLY_MARKS
        return states.with_state({"ok": ok, "differences": missing, "repairable": False, "note": note})
    vif, instance = subject.pair()
    if not subjects.can_be_planned(vif):
        reason = f"the plugin {vif.plugin} does its work itself and cannot say what it would do"
        return states.with_state({"ok": None, "differences": [], "repairable": False, "note": reason})
    with subjects.located(subject):
        found = guests.checked(os_vif.check(vif, instance))
    interrupted = [f"{subject.cut_off} was cut off"] if subject.cut_off else []
    note = "`vif repair --anew` makes it again, `vif unplug --id` has it forgotten" if found.gone else ""
    return {**states.told(found, *interrupted), "repairable": found.repairable, "note": note}


def _show_results(results: list[dict[str, Any]], output: Output) -> None:
    from os_vif.cli import states

    for result in results:
        name = result.get("service") or result["vif_id"] or "what is shared"
        if result["error"]:
            output.line(f"failed   {name}", "bad")
            continue
        word, style = states.WORDS[result["state"]]
        output.line(f"{word:<8} {name}", style)
        for line in states.lines(result):
            output.line(f"         {line}")
        if result["note"]:
            output.line(f"         {result['note']}")
    if any(result.get("differences") and result["repairable"] for result in results):
        output.line("`vif repair` puts that right.", "dim")
