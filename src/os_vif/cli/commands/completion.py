# SPDX-License-Identifier: Apache-2.0
"""completion: what a shell needs to complete our command line."""

from __future__ import annotations

import argparse

from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers

SHELLS = ("bash", "zsh", "fish")


def register(commands: Subparsers) -> None:
    """Adds the command."""
    completion = commands.add(
        "completion",
        _completion,
        help="print what makes a shell complete commands, options, files and ids",
        description='For bash: eval "$(vif completion bash)"; docs/cli.md has the others.',
    )
    completion.add_argument("shell", choices=SHELLS, help="the shell to print it for")


def _completion(arguments: argparse.Namespace, output: Output) -> ExitCode:
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError as error:
        raise CommandError(
            "Completion needs the Python package argcomplete.",
            code="missing-part",
            exit_code=ExitCode.FAILED,
            hint="pip install argcomplete",
        ) from error
    print(shellcode(["vif"], shell=arguments.shell))
    return ExitCode.OK
