# SPDX-License-Identifier: Apache-2.0
"""migrate prepare, activate and abort: run on the host that a guest moves to."""

from __future__ import annotations

import argparse

from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    from os_vif.cli import guest_options

    migrate = commands.add_group(
        "migrate",
        help="move a guest's interface to this host",
        description="All three are run on the destination. When the guest has moved, `vif detach` on the source takes"
        " away what is left there.",
    )
    prepare = migrate.add(
        "prepare",
        _prepare,
        help="bind the port here as well, and plug it, with nothing passing yet",
        description="The source notices nothing.",
    )
    guest_options.add_interface(prepare)
    guest_options.add_guest(prepare)
    guest_options.add_sides(prepare)
    activate = migrate.add(
        "activate",
        _activate,
        help="cut over: the binding here becomes the active one, and traffic may pass",
        description="Once begun it can only be finished, by the same command.",
    )
    guest_options.add_interface(activate)
    abort = migrate.add(
        "abort",
        _abort,
        help="give up the migration to here: unplug and unbind",
        description="The source notices nothing.",
    )
    guest_options.add_interface(abort)


def _prepare(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import lifecycle
    from os_vif.cli import attached, guest_options
    from os_vif.cli.commands import attaching

    attached.use(arguments)
    parties = guest_options.parties(arguments)
    guest_options.require_known(arguments, parties)
    attaching.tell(lifecycle.prepare(guest_options.spec(arguments, parties), parties), output)
    return ExitCode.OK


def _activate(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import lifecycle
    from os_vif.cli import attached

    attached.use(arguments)
    found = attached.find(arguments)
    active = lifecycle.activate(found.key, lifecycle.Parties.of(found))
    output.document(attached.told(active))
    output.line(f"{active.spec.guest.name}: {active.spec.interface} is active on {active.host}.", "good")
    return ExitCode.OK


def _abort(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif import lifecycle
    from os_vif.cli import attached

    attached.use(arguments)
    found = attached.find(arguments)
    lifecycle.abort(found.key, lifecycle.Parties.of(found))
    output.document({"aborted": attached.told(found)})
    output.line(f"{found.spec.guest.name}: the migration of {found.spec.interface} to here is given up.", "good")
    return ExitCode.OK
