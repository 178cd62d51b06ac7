# SPDX-License-Identifier: Apache-2.0
"""host-info: what this host can plug."""

from __future__ import annotations

import argparse
from typing import Any

from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers


def register(commands: Subparsers) -> None:
    """Adds the command."""
    info = commands.add(
        "host-info",
        _host_info,
        help="show the plugins, and which VIFs they take in which versions",
        description="With --output json, in wire form: what is sent to whoever chooses how to bind a port.",
    )
    info.add_argument("--only", metavar="CLASS", action="append", help="only VIFs of this class; can be repeated")


def _host_info(arguments: argparse.Namespace, output: Output) -> ExitCode:
    import os_vif
    from os_vif.cli import session

    session.open_library(arguments)
    info = os_vif.host_info(arguments.only)
    output.document(info.obj_to_primitive())
    output.table(
        ("plugin", "VIF", "versions", "port profiles"), [row for one in info.plugin_info for row in _rows(one)]
    )
    return ExitCode.OK


def _rows(plugin: Any) -> list[tuple[str, str, str, str]]:
    return [
        (plugin.plugin_name, vif.vif_object_name, f"{vif.min_version} to {vif.max_version}", _profiles(vif))
        for vif in plugin.vif_info
    ] or [(plugin.plugin_name, "-", "-", "-")]


def _profiles(vif: Any) -> str:
    # Third-party plugins may leave this out.
    profiles = vif.supported_port_profiles if "supported_port_profiles" in vif else []
    return ", ".join(f"{p.profile_object_name} {p.min_version} to {p.max_version}" for p in profiles) or "-"
