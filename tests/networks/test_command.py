# SPDX-License-Identifier: Apache-2.0
"""`vif network`: what it prints, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from os_vif.testing import offers
from support import require
from support.network_side import Side
from support.vif_command import command


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture
def vif():
    """Runs `vif network ...`; a problem is (exit code, message, hint)."""

    def run(*arguments, **options):
        return subprocess.run(
            [command(), "network", *map(str, arguments)], capture_output=True, text=True, check=False, **options
        )

    return run


def file():
    return Path(os.environ["OS_VIF_STATE_DIR"]) / "networks.db"


def problem(ran):
    error = json.loads(ran.stdout)["error"]
    return ran.returncode, error["message"], error["hint"]


def test_a_network_from_its_making_to_its_end(vif):
    """Made, listed, shown, deleted; for people and for programs."""
    assert vif("list").stdout == f"There is no network in {file()}: `vif network create`.\n"
    made = json.loads(
        vif("create", "blue", "--cidr", "192.0.2.0/24", "--gateway", "192.0.2.1", "--mtu", 1400, "-o", "json").stdout
    )
    bridge = f"brq{made['id']}"[:14]
    assert (made["name"], made["switch"], made["bridge"], made["mtu"]) == ("blue", "linux_bridge", bridge, 1400)
    assert made["subnets"] == [
        {
            "cidr": "192.0.2.0/24",
            "first": "192.0.2.1",
            "last": "192.0.2.254",
            "gateway": "192.0.2.1",
            "dhcp_server": None,
        }
    ]
    assert vif("list").stdout.splitlines()[1].split() == [
        "blue",
        "192.0.2.0/24",
        "linux_bridge",
        bridge,
        "1400",
        "-",
        "-",
    ]
    assert json.loads(vif("show", made["id"], "-o", "json").stdout) == {**made, "ports": []}
    assert "192.0.2.1-192.0.2.254" in vif("show", "blue").stdout
    assert vif("ports").stdout == "There are no ports.\n"
    assert vif("delete", "blue").stdout == "Network blue is deleted.\n"
    assert vif("list", "-o", "json").stdout == "[]\n"


def test_ports_are_told_of(vif, tmp_path):
    """With their addresses, and where they are bound."""
    vif("create", "blue", "--cidr", "192.0.2.0/24")
    port = Side(tmp_path / "state" / "networks.db").bind(offers.offer("tap")).vif
    ((line,), (told,)) = vif("ports", "blue").stdout.splitlines()[1:], json.loads(vif("ports", "-o", "json").stdout)
    *cells, lapses, port_id = line.split()
    assert cells == ["blue", "192.0.2.1", port.address, "host-a", "ACTIVE", "tap", "1"]
    assert (lapses != "-", port_id) == (True, port.id)
    assert (told["port_id"], told["ip_addresses"], told["bindings"][0]["host"]) == (port.id, ["192.0.2.1"], "host-a")
    ran = vif("delete", "blue", "-o", "json")
    assert problem(ran) == (1, "Network blue has 1 port.", "`vif network ports blue` shows them.")


def test_what_cannot_be_is_refused(vif):
    """A wrong command line is exit code 2, and the option is named; what is taken, 1. Nothing is written."""
    wrong = vif("create", "blue", "--cidr", "192.0.2.1/24", "-o", "json")
    assert problem(wrong)[:2] == (2, "--cidr: 192.0.2.1/24 has host bits set.")
    assert json.loads(wrong.stdout)["error"]["field"] == "--cidr"
    vif("create", "blue")
    assert problem(vif("create", "blue", "-o", "json")) == (
        1,
        "There is a network blue already.",
        "`vif network show blue` shows it.",
    )
    assert len(json.loads(vif("list", "-o", "json").stdout)) == 1


def test_what_is_not_there_is_named(vif):
    """With what there is."""
    assert problem(vif("show", "red", "-o", "json")) == (
        1,
        "There is no network red.",
        f"There is none in {file()}: `vif network create`.",
    )
    vif("create", "blue")
    assert problem(vif("ports", "red", "-o", "json")) == (1, "There is no network red.", "There are: blue.")


def test_another_driver_has_tools_of_its_own(vif, tmp_path):
    """Nothing is made that nobody would use."""
    config = tmp_path / "os-vif.conf"
    config.write_text("[os_vif]\nnetwork_driver = neutron\n")
    assert problem(vif("create", "blue", "--config-file", config, "-o", "json")) == (
        1,
        "These commands are for networks of the driver local; this host's network driver is neutron.",
        "Make networks with the tools of neutron, or set [os_vif] network_driver = local.",
    )


def test_the_database_can_be_elsewhere(vif, tmp_path):
    """So that several hosts share it."""
    config = tmp_path / "os-vif.conf"
    config.write_text(f"[os_vif_network_local]\ndatabase = {tmp_path}/shared/networks.db\n")
    assert vif("create", "blue", "--config-file", config).returncode == 0
    assert json.loads(vif("list", "-o", "json").stdout) == []
    there = vif(
        "list", "-o", "json", "--config-file", config, env=os.environ | {"OS_VIF_STATE_DIR": str(tmp_path / "b")}
    )
    assert [network["name"] for network in json.loads(there.stdout)] == ["blue"]


def test_dhcp_for_people(netns):
    """Served as long as there is the network."""
    require("dnsmasq", "dnsmasq-base")
    netns.run([command(), "network", "create", "blue", "--cidr", "192.0.2.0/24", "--dhcp"])
    told = netns.run([command(), "network", "show", "blue"]).stdout
    assert "DHCP     runs\n" in told
    assert netns.run([command(), "list"]).stdout.count("linux_bridge") == 1
    netns.run([command(), "network", "delete", "blue"])
    assert netns.link_names() == set()


def test_an_uplink_whose_addresses_cannot_move_is_refused(vif, netns):
    """Said when the network is made, not when its first guest comes; nothing is written."""
    netns.ip("link", "add", "eth1", "type", "veth", "peer", "name", "far")
    netns.ip("address", "add", "192.0.2.2/24", "dev", "eth1", "valid_lft", "3000", "preferred_lft", "3000")
    ran = netns.inside(lambda: vif("create", "lan", "--uplink", "eth1", "-o", "json"))
    code, message, hint = problem(ran)
    assert code != 0
    assert message.startswith("Interface eth1 cannot lead out of the bridge brq")
    assert "the address 192.0.2.2/24 of eth1 is valid for" in message
    assert "vif network create --bridge NAME" in hint
    assert json.loads(vif("list", "-o", "json").stdout) == []
