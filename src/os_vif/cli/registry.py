# SPDX-License-Identifier: Apache-2.0
"""How a command makes itself known to the parser."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from os_vif.cli import options
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output

Run = Callable[[argparse.Namespace, Output], ExitCode]


class Subparsers:
    """argparse's subparsers, with what all commands have in common."""

    def __init__(self, subparsers: Any) -> None:
        self._subparsers = subparsers

    def add(self, name: str, run: Run, *, help: str, description: str = "") -> argparse.ArgumentParser:
        """A parser for the command ``name``, which ``run`` carries out. ``description`` follows after ``help``."""
        parser = self._parser(name, help, description)
        parser.set_defaults(run=run)
        return parser

    def add_group(self, name: str, *, help: str, description: str = "") -> Subparsers:
        """A command that has commands of its own, as in ``vif network create``."""
        parser = self._parser(name, help, description)
        inner = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=type(parser), required=True)
        return Subparsers(inner)

    def _parser(self, name: str, help: str, description: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = self._subparsers.add_parser(
            name,
            help=help,
            description=f"{help[0].upper()}{help[1:]}. {description}".strip(),
            parents=[options.common()],
            add_help=False,
            allow_abbrev=False,
        )
        return parser


def add_files(parser: argparse.ArgumentParser, *, many: bool = True, optional: bool = False) -> None:
    """The argument FILE, or FILE…; ``many`` and ``optional`` say how many are wanted."""
    count = "*" if optional else "+" if many else None
    parser.add_argument("files" if many else "file", metavar="FILE", nargs=count, help="serialized VIFs; - is stdin")


def complete_ids(action: argparse.Action) -> None:
    """Has shells complete the ids of recorded VIFs for an argument."""
    from os_vif.cli import completing

    action.completer = completing.recorded_ids  # type: ignore[attr-defined]
