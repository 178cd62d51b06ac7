# SPDX-License-Identifier: Apache-2.0
"""gc and restore: after crashes and reboots."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers

if TYPE_CHECKING:
    from os_vif.host.garbage import Finding
    from os_vif.upkeep import Restored


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    gc = commands.add(
        "gc",
        _gc,
        help="remove what interrupted work has left, and what nobody needs",
        description="Only what os-vif made is ever removed.",
    )
    gc.add_argument(
        "--keep",
        metavar="IDS",
        action="append",
        help="unplug every VIF but these too: ids with commas between, - to read them from stdin, or the word none",
    )
    gc.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
    commands.add("restore", _restore, help="plug what was plugged when this machine went down")


def _gc(arguments: argparse.Namespace, output: Output) -> ExitCode:
    import os_vif
    from os_vif.cli import session

    keep = _ids_to_keep(arguments.keep)
    session.open_library(arguments)
    findings = os_vif.gc(keep, dry_run=arguments.dry_run)
    output.document([_finding(finding) for finding in findings])
    rows = [(f.what, f.reason, _outcome(f, dry_run=arguments.dry_run)) for f in findings]
    if rows:
        output.table(("what", "why", "result"), rows)
    else:
        output.line("Nothing to remove.")
    return ExitCode.FAILED if any(finding.error for finding in findings) else ExitCode.OK


def _ids_to_keep(said: list[str] | None) -> set[str] | None:
    if said is None:
        return None
    words = [word for one in said for word in (sys.stdin.read() if one == "-" else one).replace(",", " ").split()]
    if not words:
        # As likely as not, the command that was to print them has failed.
        raise CommandError(
            "The list of VIFs to keep is empty; that would unplug every VIF.",
            code="nothing-to-keep",
            exit_code=ExitCode.USAGE,
            hint="Say --keep none if that is what you want.",
        )
    return set() if words == ["none"] else set(words)


def _finding(finding: Finding) -> dict[str, Any]:
    from os_vif.cli import errors
    from os_vif.host import state

    return {
        "kind": finding.kind,
        "vif_id": finding.vif_id or None,
        "what": finding.what,
        "resource": state.to_primitive(finding.holding.resource) if finding.holding else None,
        "reason": finding.reason,
        "removed": finding.removed,
        "error": errors.of_library(finding.error).to_primitive() if finding.error else None,
    }


def _outcome(finding: Finding, *, dry_run: bool) -> str:
    if finding.error:
        return f"failed: {finding.error}"
    return "would be removed" if dry_run else "removed" if finding.removed else "left"


def _restore(arguments: argparse.Namespace, output: Output) -> ExitCode:
    import os_vif
    from os_vif.cli import session

    session.open_library(arguments)
    results = os_vif.restore()
    output.document([_restored(result) for result in results])
    if results:
        output.table(("VIF", "result"), [(r.vif_id, f"failed: {r.error}" if r.error else "restored") for r in results])
    else:
        output.line("Nothing to restore: no VIF is recorded from before the reboot.")
    return ExitCode.FAILED if any(result.error for result in results) else ExitCode.OK


def _restored(result: Restored) -> dict[str, Any]:
    from os_vif.cli import errors

    error = errors.of_library(result.error).to_primitive() if result.error else None
    return {"vif_id": result.vif_id, "restored": error is None, "error": error}
