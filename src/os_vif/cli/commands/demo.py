# SPDX-License-Identifier: Apache-2.0
"""demo: the whole story, in network namespaces of its own."""

from __future__ import annotations

import argparse

from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers


def register(commands: Subparsers) -> None:
    """Adds the command."""
    commands.add(
        "demo",
        _demo,
        help="plug, ping, break, repair, unplug; then agree, attach and migrate; in network namespaces of its own",
        description="This machine's network and journal are neither read nor changed.",
    )


def _demo(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli.demo import story

    return story.run(arguments, output)
