# SPDX-License-Identifier: Apache-2.0
"""Which files the command reads its options from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.vif_command import A


@pytest.fixture
def configure(tmp_path):
    """Writes a file below the directory of the configuration: configure("os-vif.conf", network_device_mtu=1400)."""

    def write(name: str, **options: object) -> Path:
        path = tmp_path / "etc" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [f"{key} = {value}\n" for key, value in options.items()]
        path.write_text("".join(["[os_vif_linux_bridge]\n", *lines]))
        return path

    return write


@pytest.fixture
def uplink(netns, vif_inside, tmp_path):
    """The uplink that a VIF's bridge would get by the options; it is not there, so the plan is refused for it."""
    document = json.loads(A.read_text())
    network = document["vif"]["versioned_object.data"]["network"]["versioned_object.data"]
    network |= {"should_provide_bridge": True, "bridge_interface": None}
    path = tmp_path / "vif.json"
    path.write_text(json.dumps(document))

    def plan(*options: object) -> str:
        error = vif_inside("plan", path, *options).stderr
        return error.split()[2] if error else ""

    return plan


def test_without_a_file_the_defaults_hold(uplink):
    """Nothing has to be configured."""
    assert uplink() == ""


def test_the_usual_place_is_read(uplink, configure):
    """os-vif.conf, and what lies beside it in os-vif.conf.d, which wins, the last name most."""
    configure("os-vif.conf", flat_interface="eth0")
    assert uplink() == "eth0"
    configure("os-vif.conf.d/20-second.conf", flat_interface="eth2")
    configure("os-vif.conf.d/10-first.conf", flat_interface="eth1")
    configure("os-vif.conf.d/30-ignored.conf.bak", flat_interface="eth3")
    assert uplink() == "eth2"


def test_a_named_file_stands_for_all_of_it(uplink, configure, tmp_path):
    """--config-file is read instead, not as well."""
    configure("os-vif.conf", flat_interface="eth0")
    named = tmp_path / "named.conf"
    named.write_text("[os_vif_linux_bridge]\n")
    assert uplink("--config-file", named) == ""


def test_a_wrong_value_there_is_told_before_anything_is_done(netns, vif_inside, configure):
    """As in a file that was named."""
    path = configure("os-vif.conf", network_device_mtu="big")
    refused = vif_inside("plug", A)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert refused.stderr.startswith("error: [os_vif_linux_bridge] network_device_mtu: ")
    assert str(path) in refused.stderr


@pytest.mark.parametrize("command", ["list", "check", "host-info", "gc", "attachments", "journal verify"])
def test_a_file_that_is_not_there_is_told_of(vif_inside, tmp_path, command):
    """Wherever it is named, and whether or not the command has a use for it."""
    missing = ("--config-file", tmp_path / "none.conf")
    for refused in (vif_inside(*command.split(), *missing), vif_inside(*missing, *command.split())):
        assert (refused.returncode, refused.stdout) == (3, "")
        assert refused.stderr == f"error: {missing[1]}: there is no such file, or it cannot be read.\n"


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("flat_interface", "br%d", "'br%d' has '%' in it. Use at most 15 letters, digits, '-', '_' and '.'."),
        ("vlan_interface", "eth0/..", "'eth0/..' has a slash in it."),
        ("vlan_interface", "a-name-much-too-long", "'a-name-much-too-long' is 20 bytes long; the kernel takes 15."),
        ("forward_bridge_interface", "br+", "'br+' has '+' in it."),
        ("iptables_drop_action", "DROP -j ACCEPT", "'DROP -j ACCEPT' is not a target of iptables, such as DROP or"),
        ("iptables_drop_action", "-j", "'-j' is not a target of iptables"),
    ],
)
def test_an_option_that_would_be_a_pattern(configure, vif_inside, option, value, reason):
    """It is told of by its name, before anything is touched."""
    path = configure("os-vif.conf", **{option: value})
    refused = vif_inside("check", "--config-file", path)
    assert refused.returncode == 3
    assert refused.stderr.startswith(f"error: [os_vif_linux_bridge] {option}: Value for option {option}")
    assert reason in refused.stderr


def test_options_that_are_names(configure, vif_inside):
    """And the words that stand for something."""
    names = {"flat_interface": "eth0.5", "vlan_interface": "", "forward_bridge_interface": "all"}
    assert vif_inside("check", "--config-file", configure("os-vif.conf", **names)).returncode == 0
