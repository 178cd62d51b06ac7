# SPDX-License-Identifier: Apache-2.0
"""gc and restore: after crashes and reboots."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers

if TYPE_CHECKING:
    from os_vif import exception
    from os_vif.host.engine.garbage import Finding
    from os_vif.lifecycle import Collected
    from os_vif.plugging.upkeep import Restored


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    gc = commands.add(
        "gc",
        _gc,
        help="remove what interrupted work has left, and what nobody needs",
        description="Only what os-vif made is ever removed, and nothing that a guest has open unless a record says so. "
        "Exit code 4 when records are lost: something on this host names this journal, and no record knows it.",
    )
    gc.add_argument(
        "--keep",
        metavar="IDS",
        action="append",
        help="unplug every VIF but these too: ids with commas between, - to read them from stdin, or the word none",
    )
    gc.add_argument(
        "--orphans",
        action="store_true",
        help="remove also what bears os-vif's mark and no record tells of, unless it is in use or something claims it",
    )
    gc.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
    gc.add_argument(
        "--network-driver",
        metavar="NAME",
        action="append",
        default=[],
        help="ask this network side, too, for bindings that nobody activated; those that guests here have are asked",
    )
    commands.add(
        "restore",
        _restore,
        help="plug what was plugged when this machine went down; start the DHCP servers of networks",
    )


def _gc(arguments: argparse.Namespace, output: Output) -> ExitCode:
    import os_vif
    from os_vif import lifecycle
    from os_vif.cli import lost, services, session, unavailable

    keep = _ids_to_keep(arguments.keep)
    session.open_library(arguments)
    dry_run = arguments.dry_run
    # Before the host: what was plugged for a lapsed binding goes with it.
    lapsed = lifecycle.collect(network_drivers=arguments.network_driver, dry_run=dry_run)
    served = lifecycle.collect_services(dry_run=dry_run)
    if keep is not None:
        keep |= {service.vif_id for service in lifecycle.check_services()}
    findings = os_vif.gc(keep, dry_run=dry_run, orphans=arguments.orphans)
    output.document(
        [
            *(_collected(one, dry_run=dry_run) for one in lapsed),
            *(services.collected(one, dry_run=dry_run) for one in served),
            *map(_finding, findings),
        ]
    )
    rows = [_collected_row(one, dry_run=dry_run) for one in lapsed]
    rows += [(s.name, ", ".join(s.differences), _outcome(s.error, not dry_run, dry_run=dry_run)) for s in served]
    rows += [(f.what, f.reason, _result(f, dry_run=dry_run)) for f in findings]
    if rows:
        output.table(("what", "why", "result"), rows)
    else:
        output.line("Nothing to remove.")
    unknown = [one for one in findings if one.lost and not one.removed]
    lost.warn(unknown, output)
    unavailable.warn(output)
    errors = [*(one.error for one in lapsed), *(one.error for one in served), *(one.error for one in findings)]
    output.hints(errors)
    return ExitCode.FAILED if any(errors) else ExitCode.DIFFERS if unknown else ExitCode.OK


def _collected(collected: Collected, *, dry_run: bool) -> dict[str, Any]:
    what, why, _ = _collected_row(collected, dry_run=dry_run)
    return {
        "kind": "binding",
        "vif_id": collected.binding.port_id if collected.binding else None,
        "what": what,
        "resource": None,
        "reason": why,
        "removed": not dry_run and not collected.error,
        "left": None,
        "lost": False,
        "error": _told(collected.error),
    }


def _collected_row(collected: Collected, *, dry_run: bool) -> tuple[str, str, str]:
    name, binding = collected.network_driver, collected.binding
    outcome = _outcome(collected.error, not dry_run, dry_run=dry_run)
    if binding is None and not name:
        return "attachments", "they were to be asked which bindings are in use", outcome
    if binding is None:
        return f"network side {name}", "it was to be asked for bindings that nobody activated", outcome
    what = f"binding of port {binding.port_id} to {binding.host}"
    return what, f"nobody activated it before its lease from {name} ran out", outcome


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
    from os_vif.host import state

    return {
        "kind": finding.kind,
        "vif_id": finding.vif_id or None,
        "what": finding.what,
        "resource": state.to_primitive(finding.holding.resource) if finding.holding else None,
        "reason": finding.reason,
        "removed": finding.removed,
        "left": finding.left or None,
        "lost": finding.lost,
        "error": _told(finding.error),
    }


def _result(finding: Finding, *, dry_run: bool) -> str:
    if finding.left:
        return f"left: {finding.left}"
    return _outcome(finding.error, finding.removed, dry_run=dry_run)


def _outcome(error: exception.ExceptionBase | None, removed: object, *, dry_run: bool) -> str:
    if error:
        return f"failed: {error}"
    return "would be removed" if dry_run else "removed" if removed else "left"


def _told(error: exception.ExceptionBase | None) -> dict[str, Any] | None:
    from os_vif.cli import errors

    return errors.of_library(error).to_primitive() if error else None


def _restore(arguments: argparse.Namespace, output: Output) -> ExitCode:
    import os_vif
    from os_vif.cli import services, session

    session.open_library(arguments)
    results = os_vif.restore()
    served, failure = services.repaired(output) if _is_network_up(results) else ([], ExitCode.FAILED)
    told = [one | {"restored": one["error"] is None} for one in served]
    output.document([*(_restored(result) for result in results), *told])
    if results:
        output.table(("VIF", "result"), [(r.vif_id, f"failed: {r.error}" if r.error else "restored") for r in results])
    else:
        output.line("Nothing to restore: no VIF is recorded from before the reboot.")
    services.show_repaired(served, output)
    return ExitCode.FAILED if any(result.error for result in results) else failure


def _is_network_up(results: Sequence[Restored]) -> bool:
    """A DHCP server would make the bridge that its guests wait with."""
    from os_vif import exception

    return not any(isinstance(result.error, exception.UplinkNotReady) for result in results)


def _restored(result: Restored) -> dict[str, Any]:
    error = _told(result.error)
    return {"vif_id": result.vif_id, "restored": error is None, "error": error}
