# SPDX-License-Identifier: Apache-2.0
"""The command line as a whole: every command in the order in which one comes to need it."""

from __future__ import annotations

import argparse
from typing import NoReturn

from os_vif.cli import exit_code, options
from os_vif.cli.commands import (
    attaching,
    changing,
    completion,
    demo,
    explaining,
    host,
    inspecting,
    migrating,
    network,
    records,
    upkeep,
    wire,
)
from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.registry import Subparsers

_EPILOG = """\
FILE holds a VIF as OpenStack serializes it, {{"vif": ..., "instance": ...}}, or a list of such; - is stdin.

exit codes:
{codes}

`vif demo` shows it all at work, without touching this machine's network.
"""


class Parser(argparse.ArgumentParser):
    """Raises instead of exiting, so that usage errors are told like all others."""

    def error(self, message: str) -> NoReturn:
        """Called by argparse when the command line is wrong."""
        hint = f"`{self.prog} --help` shows what there is."
        raise CommandError(message, code="usage", exit_code=ExitCode.USAGE, hint=hint)


def build() -> argparse.ArgumentParser:
    """The parser; ``run`` of its result is the function of the command that was chosen."""
    parser = Parser(
        prog="vif",
        description="Wire virtual machines' network interfaces (VIFs) into this host: look, plug, check, repair, undo.",
        epilog=_EPILOG.format(codes=exit_code.table()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[options.common()],
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = Subparsers(parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser))
    for module in (
        attaching, explaining, migrating, network, changing, inspecting, records, upkeep, host, wire, demo, completion,
    ):  # fmt: skip
        module.register(commands)
    return parser


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: that reads the metadata of the installed package."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"vif (os-vif) {version('os-vif')}")
        raise SystemExit(ExitCode.OK)
