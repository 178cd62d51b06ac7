# SPDX-License-Identifier: Apache-2.0
"""docs/architecture.md shows the code as it is."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text()
ROOMS = runpy.run_path(str(ROOT / "tools" / "docs" / "rooms.py"))


def test_the_picture_is_what_the_code_is():
    """To draw it anew: python tools/docs/rooms.py"""
    assert (ROOT / "docs" / "pictures" / "rooms.svg").read_text() == ROOMS["draw"]()


def test_every_room_is_in_the_picture():
    """A new package is drawn too, or named here as one that is not."""
    packages = {f"os_vif.{path.parent.name}" for path in (ROOT / "src" / "os_vif").glob("*/__init__.py")}
    packages |= {f"os_vif.host.{path.parent.name}" for path in (ROOT / "src" / "os_vif" / "host").glob("*/__init__.py")}
    assert packages - {*ROOMS["ROOMS"]} == {"os_vif.exception", "os_vif.host", "os_vif.testing"}


def test_every_file_that_is_named_is_there():
    """By its path below src/os_vif, or below the project."""
    named = re.findall(r"`([a-z_0-9]+(?:/[a-z_0-9]+)*(?:/|\.[a-z]+))`", TEXT)
    assert len(named) > 30
    assert [name for name in named if not any((root / name).exists() for root in (ROOT, ROOT / "src" / "os_vif"))] == []


def test_nothing_takes_more_than_three_files():
    """Else the code has to change, not the list."""
    rows = re.findall(r"^\| (a .*?) \| (.*) \|$", TEXT.partition("## Where to add things")[2], re.M)
    assert len(rows) == 6
    assert [what for what, where in rows if len(where.split(";")) > 3] == []


@pytest.mark.parametrize("upper", ["os_vif.objects", "os_vif.host.state"])
def test_a_line_that_runs_up_is_seen(upper):
    """Drawing fails where rooms import each other in a circle."""
    with pytest.raises(AssertionError, match="a circle among"):
        ROOMS["stack"]({*ROOMS["imports"](), (upper, "os_vif.cli")})
