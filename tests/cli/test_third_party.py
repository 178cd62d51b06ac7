# SPDX-License-Identifier: Apache-2.0
"""Plugins of third parties that do their work themselves, and work on many VIFs that ends in the middle."""

from __future__ import annotations

import json
import os

import pytest

from support.vif_command import BRIDGE, ID_A, noop_vifs

PLUGIN = '''
from pathlib import Path

from os_vif import objects
from os_vif.plugin import PluginBase


class Cable(PluginBase):
    """Plugs by writing into a file; fails for a VIF called broken."""

    def describe(self):
        return objects.host_info.HostPluginInfo(plugin_name="cable", vif_info=[])

    def plug(self, vif, instance_info):
        if vif.vif_name == "broken":
            raise RuntimeError("no cable")
        Path(__file__).with_name("log").open("a").write(f"plug {vif.vif_name}\\n")

    def unplug(self, vif, instance_info):
        Path(__file__).with_name("log").open("a").write(f"unplug {vif.vif_name}\\n")
'''


@pytest.fixture
def cable(tmp_path, monkeypatch, document):
    """A VIF for the plugin `cable`, which is installed for this test."""
    place = tmp_path / "site"
    metadata = place / "cable-1.0.dist-info"
    metadata.mkdir(parents=True)
    (place / "cable_plugin.py").write_text(PLUGIN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: cable\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[os_vif]\ncable = cable_plugin:Cable\n")
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    document["vif"]["versioned_object.data"] |= {"plugin": "cable", "vif_name": "cable0"}
    return document


def log(tmp_path):
    return (tmp_path / "site" / "log").read_text().splitlines()


def test_it_is_plugged_and_unplugged_by_id(netns, vif_inside, cable, write, tmp_path):
    """The plugin is called for both; --id finds the VIF in the journal."""
    assert vif_inside("plug", write(cable)).returncode == 0
    assert vif_inside("unplug", "--id", ID_A).returncode == 0
    assert log(tmp_path) == ["plug cable0", "unplug cable0"]


def test_check_says_that_nothing_can_be_told(netns, vif_inside, cable, write):
    """Not ok, and no difference either: exit code 0, and the reason."""
    vif_inside("plug", write(cable))
    checked = vif_inside("check")
    assert checked.returncode == 0
    assert checked.stdout.splitlines() == [
        f"unknown  {ID_A}",
        "         the plugin cable does its work itself and cannot say what it would do",
    ]
    assert vif_inside("repair").stdout.splitlines()[0] == (
        f"left      {ID_A}: the plugin cable does its work itself; plug it again"
    )


def test_what_it_raises_is_told(netns, vif_inside, cable, write):
    """The plugin's own words, and the VIF."""
    cable["vif"]["versioned_object.data"]["vif_name"] = "broken"
    refused = vif_inside("plug", write(cable))
    assert refused.returncode == 1
    assert refused.stderr == f"error: VIF {ID_A}: RuntimeError: no cable\n"
    error = json.loads(vif_inside("plug", write(cable), "-o", "json").stdout)["error"]
    assert (error["code"], error["vif_id"]) == ("plug", ID_A)


def test_a_plugin_that_is_gone_does_not_keep_the_others_from_being_checked(netns, vif_inside, cable, write):
    """The error is told, the other VIFs are checked, and the exit code is that of the error."""
    vif_inside("plug", write([cable, *noop_vifs(1)]))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    checked = vif_inside("check", env=environment)
    assert checked.returncode == 1
    assert sorted(checked.stdout.splitlines()) == [
        f"failed   {ID_A}",
        "ok       00000000-0000-4000-8000-000000000000",
    ]
    assert checked.stderr.splitlines()[0] == "error: There is no VIF plug-in named cable."


def test_a_failure_in_the_middle_of_many_tells_how_many_are_plugged(netns, vif_inside, document, write):
    """A batch is plugged as a whole or not at all; those before it stay."""
    netns.ip("link", "add", BRIDGE, "type", "veth", "peer", "name", "other")
    plugged = vif_inside("plug", write([*noop_vifs(50), document]), "-o", "json")
    error = json.loads(plugged.stdout)["error"]
    assert (plugged.returncode, error["code"], error["vif_id"]) == (1, "foreign-device", ID_A)
    assert error["hint"].startswith("The first 50 of 51 VIFs are plugged. os-vif does not touch ")
    assert len(json.loads(vif_inside("list", "-o", "json").stdout)) == 50
