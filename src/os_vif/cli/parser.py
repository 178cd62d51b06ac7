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
    journal,
    migrating,
    network,
    records,
    upkeep,
    wire,
)
from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.registry import Subparsers

#: In the help, what is done together stands together; each in the order in which one comes to need it.
GROUPS = {
    "guests and networks": ("network", "attach", "detach", "attachments", "explain", "migrate"),
    "VIFs that another program describes": ("plan", "plug", "unplug"),
    "looking and mending": ("list", "show", "check", "repair", "gc", "restore", "journal"),
    "for programs, and for people who write some": ("host-info", "validate", "convert", "completion", "demo"),
}

_EPILOG = """\
examples:
  vif network create blue --cidr 192.168.77.0/24
  vif attach guest1 --network blue --hypervisor libvirt --hot
  vif explain guest1 --network blue --hypervisor libvirt
  vif check || vif repair

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
        formatter_class=_Grouped,
        parents=[options.common()],
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = Subparsers(parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser))
    for module in (
        attaching, explaining, migrating, network, changing, inspecting, records, upkeep, journal, host, wire, demo,
        completion,
    ):  # fmt: skip
        module.register(commands)
    return parser


class _Grouped(argparse.RawDescriptionHelpFormatter):
    """Shows commands by their groups; those of none (there should be none) come last."""

    def _format_action(self, action: argparse.Action) -> str:
        if not isinstance(action, argparse._SubParsersAction):
            return super()._format_action(action)
        left = {command.dest: command for command in action._choices_actions}
        lines = []
        for heading, names in {**GROUPS, "": tuple(left)}.items():
            lines.append(f"  {heading}:\n" if heading else "")
            self._indent()
            lines += [super(_Grouped, self)._format_action(left.pop(name)) for name in names if name in left]
            self._dedent()
        return "".join(lines)


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: that reads the metadata of the installed package."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib.metadata import version

        print(f"vif (os-vif) {version('os-vif')}")
        raise SystemExit(ExitCode.OK)
