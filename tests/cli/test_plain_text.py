# SPDX-License-Identifier: Apache-2.0
"""What others have written reaches a terminal as text: nothing of it is obeyed, and no line is forged with it."""

from __future__ import annotations

import json

import pytest

from os_vif.cli.plain import plain
from support.vif_command import A, noop_vifs

NASTY = "a\x1b[2Jb\u202ec\u200bd\re\nerror: f\x9bg"
SHOWN = r"a\x1b[2Jb\u202ec\u200bd\re\nerror: f\x9bg"


def test_what_a_terminal_would_obey_is_shown():
    """Controls of both sets, marks of direction, what has no width, what is no character; everything else stays."""
    assert plain(NASTY) == SHOWN
    assert plain("\ud800") == r"\ud800"
    assert plain("Gäste 客 <b>[red]") == "Gäste 客 <b>[red]"


@pytest.fixture
def named(write):
    """A file with a VIF whose device has such a name, for a plugin that does nothing with it."""
    (vif,) = noop_vifs(1)
    vif["versioned_object.data"]["vif_name"] = NASTY
    return write(vif)


def test_errors(vif_inside, named):
    """One line, and the hint."""
    refused = vif_inside("plug", named)
    assert refused.returncode in (1, 3)
    assert refused.stderr.replace("\n", "").isprintable()
    assert all(line.startswith(("error:", "  ")) for line in refused.stderr.splitlines())


def test_tables_and_programs(vif_inside, write, document):
    """In a table it is escaped; in JSON it is what it is."""
    document["instance"]["versioned_object.data"]["name"] = NASTY
    document["vif"]["versioned_object.data"]["plugin"] = "noop"
    assert vif_inside("plug", write(document)).returncode == 0
    listed = vif_inside("list")
    assert listed.stdout.replace("\n", "").isprintable()
    shown = vif_inside("show", document["vif"]["versioned_object.data"]["id"], "--request")
    assert json.loads(shown.stdout)["instance"]["versioned_object.data"]["name"] == NASTY


def test_differences_that_a_device_tells_of(netns, vif_inside):
    """An alias is anybody's text, who owns the device."""
    vif_inside("plug", A)
    bridge = next(iter(netns.link_names()))
    netns.ip("link", "set", bridge, "alias", "x\x1b[31m\ny")
    for command in ("check", "plan"):
        told = vif_inside(command, *([A] if command == "plan" else []))
        assert told.stdout.replace("\n", "").isprintable()
        assert r"x\x1b[31m\ny" in told.stdout
