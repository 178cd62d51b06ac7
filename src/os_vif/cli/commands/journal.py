# SPDX-License-Identifier: Apache-2.0
"""journal: looking after the records themselves."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers

if TYPE_CHECKING:
    from os_vif.lifecycle import Rebuilding, Rebuilt


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    journal = commands.add_group("journal", help="look after the records: verify, rebuild, back up")
    journal.add(
        "verify",
        _verify,
        help="tell whether the records can be read, and are of what is on this host",
        description="Changes nothing. Exit code 1 when a file or a record cannot be read, 4 when records and host "
        "differ.",
    )
    rebuild = journal.add(
        "rebuild",
        _rebuild,
        help="make lost records anew, and leave the host as it is",
        description="From what can be read of a damaged journal, which is set aside, from backups, from the "
        "attachments of guests, and from the marks on devices and ports. Records that are there stay as they are.",
    )
    rebuild.add_argument("--dry-run", action="store_true", help="show what would be recorded, and write nothing")
    forget = journal.add(
        "forget",
        _forget,
        help="forget what a package made that is gone for good",
        description="What resources of a kind that no backend here knows are recorded for: no VIF may use them any "
        "more. They stay on the host, and nothing of os-vif answers for them.",
    )
    forget.add_argument("kind", metavar="KIND", help="the kind, as `vif list` tells of it: vxlan:Vxlan")
    forget.add_argument("--dry-run", action="store_true", help="show what would be forgotten, and forget nothing")
    journal.add(
        "backup",
        _backup,
        help="back the records up now",
        description="Into the directory backups beside them, where seven are kept of each file; the first command of a "
        "day makes one by itself.",
    )


def _verify(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import exception, lifecycle
    from os_vif.cli import recorded, session

    session.open_library(arguments)
    found = lifecycle.verify()
    output.document([{"kind": one.kind, "vif_id": one.vif_id or None, "text": one.text} for one in found])
    if not found:
        output.line(f"{recorded.place_of_journal()} is whole, and tells what is on this host.", "good")
        return ExitCode.OK
    output.table(("what", "VIF"), [(one.text, one.vif_id or "-") for one in found])
    kinds = {one.kind for one in found}
    if kinds & {"damaged", "unreadable", "not-recorded"}:
        output.line("`vif journal rebuild` makes the records anew; with --dry-run it shows what it would write.", "dim")
    if "unavailable" in kinds:
        output.line(exception.BackendUnavailable.hint, "dim")
    failed = kinds & {"damaged", "unreadable", "unsearched", "unavailable"}
    return ExitCode.FAILED if failed else ExitCode.DIFFERS


def _rebuild(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import lifecycle
    from os_vif.cli import session

    session.open_library(arguments)
    done = lifecycle.rebuild(dry_run=arguments.dry_run)
    output.document(_told(done, dry_run=arguments.dry_run))
    if done.aside:
        output.line(f"The damaged journal was set aside as {done.aside}.", "warn")
    elif done.damage:
        output.line(f"The journal is damaged, and would be set aside: {'; '.join(done.damage)}.", "warn")
    if done.records:
        word = "would be recorded" if arguments.dry_run else "recorded"
        rows = [(one.vif_id, one.source, f"failed: {one.error}" if one.error else word) for one in done.records]
        output.table(("VIF", "from", "result"), rows)
    else:
        output.line("Nothing to rebuild: no more is known than what is recorded.")
    return ExitCode.FAILED if any(one.error for one in done.records) else ExitCode.OK


def _told(done: Rebuilding, *, dry_run: bool) -> dict[str, Any]:
    return {
        "damage": list(done.damage),
        "set_aside": str(done.aside) if done.aside else None,
        "records": [_record(one, dry_run=dry_run) for one in done.records],
    }


def _record(one: Rebuilt, *, dry_run: bool) -> dict[str, Any]:
    from os_vif.cli import errors

    return {
        "vif_id": one.vif_id,
        "from": one.source,
        "what": list(one.what),
        "recorded": not dry_run and not one.error,
        "error": errors.of_library(one.error).to_primitive() if one.error else None,
    }


def _forget(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli import session
    from os_vif.plugging import upkeep

    session.open_journal(arguments)
    forgotten = upkeep.forget_kind(arguments.kind, dry_run=arguments.dry_run)
    labels = [one.resource.label for one in forgotten]
    output.document([{"kind": arguments.kind, "what": label, "forgotten": not arguments.dry_run} for label in labels])
    word = "would be forgotten" if arguments.dry_run else "forgotten"
    output.table(("what", "result"), [(label, f"{word}; it stays on the host") for label in labels])
    return ExitCode.OK


def _backup(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from pathlib import Path

    from os_vif.cli import attached, session
    from os_vif.host.journal import backups
    from os_vif.plugging import current

    session.open_journal(arguments)
    attached.require_a_record()
    made = backups.make(Path(current.engine().journal.path).parent)
    output.document([str(path) for path in made])
    for path in made:
        output.line(str(path))
    if not made:
        output.line("Nothing to back up: nothing is recorded.")
    return ExitCode.OK
