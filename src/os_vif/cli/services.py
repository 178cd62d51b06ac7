# SPDX-License-Identifier: Apache-2.0
"""What network sides run on this host, such as DHCP servers, in the results of check, repair, restore and gc."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from os_vif.cli import errors
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output

if TYPE_CHECKING:
    from os_vif.networks.driver import Service


def checked(output: Output) -> tuple[list[dict[str, Any]], ExitCode]:
    """As results of check, beside those of VIFs, and whether it could be told."""
    from os_vif import lifecycle

    found = lifecycle.check_services()
    told = [
        {
            **_told(service),
            "ok": None if service.error else not service.differences,
            "differences": list(service.differences),
            "repairable": True,
            "note": "",
        }
        for service in found
    ]
    return told, _said(found, output)


def repaired(output: Output) -> tuple[list[dict[str, Any]], ExitCode]:
    """Those that were not as they should be, put right; and whether that could be done."""
    from os_vif import lifecycle

    found = [service for service in lifecycle.repair_services() if service.differences or service.error]
    return [{**_told(service), "differences": list(service.differences)} for service in found], _said(found, output)


def show_repaired(served: Sequence[dict[str, Any]], output: Output) -> None:
    """For people."""
    for one in served:
        word, style = ("failed", "bad") if one["error"] else ("repaired", "good")
        output.line(f"{word:<9} {one['service']}", style)
        for difference in one["differences"]:
            output.line(f"          {difference}")


def collected(service: Service, *, dry_run: bool) -> dict[str, Any]:
    """As a result of gc."""
    told = _told(service)
    return {
        "kind": "service",
        "vif_id": told["vif_id"],
        "what": service.name,
        "resource": None,
        "reason": ", ".join(service.differences),
        "removed": not dry_run and not service.error,
        "error": told["error"],
    }


def _told(service: Service) -> dict[str, Any]:
    error = errors.of_library(service.error).to_primitive() if service.error else None
    return {
        "vif_id": service.vif_id or None,
        "service": service.name,
        "network": service.network or None,
        "error": error,
    }


def _said(found: Sequence[Service], output: Output) -> ExitCode:
    """Tells of errors as those of VIFs are told; returns the exit code of the first."""
    told = [errors.of_library(service.error) for service in found if service.error]
    if not output.as_json:
        for error in told:
            output.error(error)
    return told[0].exit_code if told else ExitCode.OK
