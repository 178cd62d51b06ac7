# SPDX-License-Identifier: Apache-2.0
"""docs/cli.md tells the truth."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from os_vif.cli import parser, reference

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text()


def test_the_reference_is_made_from_the_parser():
    """To make it anew: python -m os_vif.cli.reference, from its heading to the end of the file."""
    _, heading, rest = TEXT.partition(reference.HEADING)
    assert heading + rest == reference.markdown()


def test_every_example_is_a_command_line_that_the_parser_takes():
    """An option that was renamed, or a command that never was, fails here."""
    how_to = TEXT.partition(reference.HEADING)[0]
    lines = re.findall(
        r"^    (?:.*\|\| |.*\"\$\()?(?:sudo )?vif (.*?)(?:\s*\)\".*|\s+\|\|.*|\s+[<>#].*)?$", how_to, re.M
    )
    assert len(lines) > 15
    for line in lines:
        assert parser.build().parse_args(shlex.split(line)).run


def test_every_command_has_an_example():
    """A how-to for each."""
    how_to = TEXT.partition(reference.HEADING)[0]
    commands = re.findall(r"^### `vif ([a-z-]+)", TEXT, re.M)
    assert len(set(commands)) == 20
    assert [name for name in dict.fromkeys(commands) if f"vif {name}" not in how_to] == ["host-info"]
