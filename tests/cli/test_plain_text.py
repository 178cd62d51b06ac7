# SPDX-License-Identifier: Apache-2.0
"""What others have written reaches a terminal as text: nothing of it is obeyed, and no line is forged with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from os_vif.exception.log import logger
from os_vif.exception.plain import plain
from os_vif.objects import codec
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


def test_a_record_of_the_log_is_one_line(caplog):
    """Whatever others have written into what it tells of; whoever forges a line has to find another way."""
    log = logger("os_vif.a_test")
    log.warning("The name %s is taken (%d).", "evil\nERROR all is lost\x1b[2J", 5)
    assert [record.getMessage() for record in caplog.records] == [
        r"The name evil\nERROR all is lost\x1b[2J is taken (5)."
    ]


def test_every_module_logs_so():
    """A logger of Python's own would let line breaks pass."""
    source = Path(__file__).resolve().parents[2] / "src"
    found = [path for path in source.rglob("*.py") if "logging.getLogger(__name__)" in path.read_text()]
    assert found == []


def test_an_object_of_a_newer_version_cannot_forge_a_line(caplog):
    """The names of its fields come from a peer."""
    data = {"evil\nERROR": 1}
    wire = {"versioned_object.name": "Route", "versioned_object.namespace": "os_vif"}
    codec.loads(json.dumps({**wire, "versioned_object.version": "1.9", "versioned_object.data": data}))
    (record,) = caplog.records
    assert record.getMessage() == r"Read Route without the fields that this version does not know: evil\nERROR"
