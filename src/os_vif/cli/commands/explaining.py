# SPDX-License-Identifier: Apache-2.0
"""explain: why a guest would get this binding and no other."""

from __future__ import annotations

import argparse

from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers


def register(commands: Subparsers) -> None:
    """Adds the command."""
    from os_vif.cli import guest_options

    explain = commands.add(
        "explain",
        _explain,
        help="show which binding a guest would get, and why not the others",
        description="Nothing is changed. The exit code is 1 if nothing fits.",
    )
    guest_options.add_interface(explain)
    guest_options.add_guest(explain)
    guest_options.add_sides(explain)


def _explain(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli import guest_options, session
    from os_vif.negotiation.explain import explain

    session.open_library(arguments)
    parties = guest_options.parties(arguments)
    spec = guest_options.spec(arguments, parties)
    offer = parties.hypervisor.offer(spec.guest, parties.host)
    explanation = explain(offer, parties.network.decide(spec.request(offer)))
    output.document(explanation.to_primitive())
    output.table(explanation.columns, explanation.rows)
    return ExitCode.OK if explanation.choice else ExitCode.FAILED
