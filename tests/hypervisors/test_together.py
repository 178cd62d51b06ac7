# SPDX-License-Identifier: Apache-2.0
"""The whole way, by the command: guests of different hypervisors on one network, each bound as it can be, and back."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from support.guest import small
from support.parts import require_tun
from support.vif_command import command

SWITCHES = {"linux_bridge": ("tap", "bridge"), "ovs": ("ovs", "ovs")}
CONFIGURATION = """
[os_vif_ovs]
ovsdb_connection = {database}
[os_vif_network_local]
ovs_datapath_type = netdev
"""


@pytest.fixture
def vif(netns, own_switch, tmp_path):
    """Runs the command on the host: vif("attach", "one", "--network", "blue"); returns what it answers."""
    configuration = tmp_path / "os-vif.conf"
    configuration.write_text(CONFIGURATION.format(database=own_switch.remote))

    def run(*arguments):
        words = [command(), *arguments, "--config-file", configuration, "--output", "json"]
        # Not by `ip netns exec`: namespaces that are made in there are there for that one command only.
        enter = ["nsenter", f"--net=/run/netns/{netns.name}"]
        done = subprocess.run([*enter, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    return run


@pytest.mark.parametrize("switched_by", SWITCHES)
def test_a_virtual_machine_and_a_namespace_reach_each_other(vif, netns, switched_by):
    """The machine gets a tap with several queues, the namespace a veth; neither is told how the other is bound."""
    require_tun()
    inside = f"web-{os.getpid()}"
    before = netns.link_names()
    vif("network", "create", "blue", "--cidr", "10.0.0.0/24", "--gateway", "10.0.0.254", "--switch", switched_by)
    port = ["-device", "pcie-root-port,id=port1,chassis=1"]
    with small.Guest(netns, port) as machine:
        machine.wait()
        place = ("--hot", "--endpoint", machine.qmp, "--queues", "2")
        attached = vif("attach", "machine", "--network", "blue", "--hypervisor", "qemu", *place)
        other = vif("attach", inside, "--network", "blue", "--hypervisor", "netns")
        assert (attached["binding"], other["binding"]) == SWITCHES[switched_by]
        configure(machine, attached)
        assert machine.reaches(address(other))
        netns.run(["ip", "netns", "exec", inside, "ping", "-c1", "-W5", address(attached)])
        vif("detach", "machine", "--network", "blue")
        assert machine.run("ls /sys/class/net").split() == ["lo"]
    vif("detach", inside, "--network", "blue")
    assert inside not in netns.run(["ip", "netns", "list"]).stdout
    assert {name for name in netns.link_names() - before if not name.startswith(("br-", "ovs-"))} == set()
    assert vif("network", "ports") == vif("attachments") == []


def address(attached):
    return attached["ip_addresses"][0].partition("/")[0]


def configure(machine, attached):
    """Sets the address in the machine once it sees the card."""
    find = f"grep -l {attached['mac_address']} /sys/class/net/*/address"
    name = machine.run(f"for try in $(seq 100); do {find} && break; sleep 0.1; done").split("/")[4]
    machine.run(f"ip link set {name} up && ip address add {attached['ip_addresses'][0]} dev {name}")
