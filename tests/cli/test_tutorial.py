# SPDX-License-Identifier: Apache-2.0
"""The tutorial works: every command in it, in order, as it is printed."""

from __future__ import annotations

import os
import re
from pathlib import Path

from support.vif_command import command

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"

#: Root already; and what is wrong with one command ends it, unless the tutorial expects that.
BEGIN = 'set -eo pipefail\nsudo() { "$@"; }\n'


def test_two_guests_in_ten_minutes(netns):
    """Both reach each other, what is broken is told and mended, and nothing is left."""
    commands = re.findall(r"^    (.+)$", TUTORIAL.read_text(), re.M)
    assert len(commands) >= 15
    path = f"{Path(command()).parent}:{os.environ['PATH']}"
    ran = netns.run(["bash", "-c", BEGIN + "\n".join(commands)], env={**os.environ, "PATH": path})
    assert ran.stdout.count("3 packets transmitted, 3 received, 0% packet loss") == 2
    assert "exit code 4" in ran.stdout
    assert ran.stdout.splitlines()[-2].startswith("1: lo: ")
    assert netns.link_names() == set()
