# SPDX-License-Identifier: Apache-2.0
"""docs/cli.md and docs/attaching.md tell the truth, and so does the README where it shows commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from os_vif import exception
from os_vif.cli import parser, reference
from os_vif.lifecycle.attachments import MIGRATING, Phase

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "cli.md").read_text()
LINE = re.compile(r"^    (?:.*\|\| |.*\"\$\()?(?:\w+# )?(?:sudo )?vif (.*?)(?:\s*\)\".*|\s+\|\|.*|\s+[<>#].*)?$", re.M)


def test_the_reference_is_made_from_the_parser():
    """To make it anew: python -m os_vif.cli.reference, from its heading to the end of the file."""
    _, heading, rest = TEXT.partition(reference.HEADING)
    assert heading + rest == reference.markdown()


@pytest.mark.parametrize(("document", "fewest"), [("docs/cli.md", 25), ("docs/attaching.md", 20), ("README.md", 11)])
def test_every_example_is_a_command_line_that_the_parser_takes(document, fewest):
    """An option that was renamed, or a command that never was, fails here."""
    how_to = (ROOT / document).read_text().partition(reference.HEADING)[0]
    lines = LINE.findall(how_to)
    assert len(lines) >= fewest
    for line in lines:
        assert parser.build().parse_args(shlex.split(line)).run


def test_every_error_that_is_told_of_is_one():
    """The codes in the last table of docs/attaching.md, and the phases in that of migration."""
    text = (ROOT / "docs" / "attaching.md").read_text()
    told = re.findall(r"`([a-z-]+)`", " ".join(re.findall(r"^\| (`.*?) \|", text.partition("| error |")[2], re.M)))
    codes = {getattr(exception, name).code for name in exception.__all__}
    assert set(told) - codes == {"state-dir"}
    phases = re.findall(r"^\| `([a-z-]+)`[^|]*\|", text.partition("| phase |")[2].partition("## ")[0], re.M)
    assert set(phases) == {phase.value for phase in MIGRATING} | {Phase.ACTIVE.value}


def test_every_command_has_an_example():
    """A how-to for each."""
    how_to = TEXT.partition(reference.HEADING)[0]
    commands = re.findall(r"^### `vif ([a-z-]+)", TEXT, re.M)
    assert len(set(commands)) == 21
    assert [name for name in dict.fromkeys(commands) if f"vif {name}" not in how_to] == ["host-info"]


def test_every_command_is_in_one_group_of_the_help():
    """And no group has one that is none."""
    commands = {name.split()[0] for name in reference._subparsers(parser.build())}
    assert sorted(name for names in parser.GROUPS.values() for name in names) == sorted(commands)


def test_the_examples_of_the_help_are_command_lines():
    """As those in the documents are."""
    examples = parser.build().format_help().partition("examples:\n")[2].partition("\n\n")[0]
    lines = [part for line in examples.splitlines() for part in line.strip().split(" || ")]
    assert len(lines) >= 5
    for line in lines:
        assert parser.build().parse_args(shlex.split(line)[1:]).run
