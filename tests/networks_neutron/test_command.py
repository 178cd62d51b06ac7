# SPDX-License-Identifier: Apache-2.0
"""The command with a real Neutron, for guests that are network namespaces, whose devices the hypervisor side makes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from os_vif.negotiation import profile
from support import require_tun
from support.neutron import agents
from support.relay import relayed
from support.vif_command import command

HOST = "namespaces"


@pytest.fixture
def host(netns, own_switch, client, plain_server, tmp_path):
    """A host with Open vSwitch, as Neutron's agent would have prepared it, that can reach Neutron."""
    require_tun()
    plain_server.report(agents.open_vswitch(HOST, datapath_type="netdev"))
    own_switch.vsctl("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev")
    configuration = tmp_path / "os-vif.conf"
    configuration.write_text(
        f"[os_vif]\nnetwork_driver = neutron\nhypervisor = netns\nhost = {HOST}\n"
        f"[os_vif_network_neutron]\nendpoint = {plain_server.url}\n"
        f"[os_vif_ovs]\novsdb_connection = {own_switch.remote}\n"
    )
    with relayed(netns, int(plain_server.url.rpartition(":")[2])):
        yield lambda *words: netns.run([command(), *words, "--config-file", str(configuration)], check=False)


def told(ran):
    assert (ran.returncode, ran.stderr) == (0, "")
    return json.loads(ran.stdout) if ran.stdout else None


def test_guests_reach_each_other_and_nothing_is_left(host, netns, new_netns, client, ask):
    names = ("vm1", "vm2")
    places = [new_netns() for _ in names]
    before = netns.snapshot()
    one, two = (
        told(host("attach", name, "--network", "blue", "--endpoint", place.name, "-o", "json"))
        for name, place in zip(names, places, strict=True)
    )
    port = client.get(f"/ports/{one['port_id']}").ok()
    assert (port["binding:vif_type"], port["binding:profile"][profile.KEY]["host"]) == ("ovs", HOST)
    assert (one["binding"], one["mac_address"]) == ("ovs", port["mac_address"])
    places[0].run(["ping", "-n", "-c", "1", "-W", "5", two["ip_addresses"][0].partition("/")[0]])
    for name in names:
        told(host("detach", name, "--quiet"))
    assert client.get("/ports?device_owner=compute:os-vif").ok() == []
    assert netns.snapshot() == before


def test_what_would_be_agreed_is_explained(host, new_netns, client, ask):
    ran = host("explain", "vm1", "--network", "blue", "--endpoint", new_netns().name)
    assert ran.returncode == 0, ran.stderr
    (chosen,) = [line.split() for line in ran.stdout.splitlines() if "chosen" in line]
    assert chosen[0] == "ovs"
    assert client.get("/ports?device_owner=compute:os-vif-waiting").ok() == []


def test_the_commands_of_the_page(host, client, ask):
    """docs/neutron-client.md, with the network that there is here."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "neutron-client.md").read_text()
    lines = re.findall(r"^ {4}vif (.* --network private .*|detach .*)$", page, re.M)
    assert [line.split()[0] for line in lines] == ["explain", "attach", "detach"]
    for line in lines:
        ran = host(*shlex.split(line.replace("private", "blue")))
        assert (ran.returncode, ran.stderr) == (0, ""), line
    assert client.get("/ports?device_owner=compute:os-vif").ok() == []


def test_a_network_that_neutron_does_not_have(host, new_netns, client, ask):
    ran = host("attach", "vm1", "--network", "no-such", "--endpoint", new_netns().name)
    assert ran.returncode != 0
    assert "There is no network no-such." in ran.stderr
