# SPDX-License-Identifier: Apache-2.0
"""An address that is given again reaches whoever has it now, at once: neighbours are told."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import time

import pytest

from os_vif.host.kernel import neighbours
from support.ovs import Switch
from support.vif_command import command

ADDRESSES = ("192.0.2.77", "fd00:77::77")


@pytest.fixture
def configuration(tmp_path):
    """The options, in a file: none, but for who writes some."""
    file = tmp_path / "os-vif.conf"
    file.touch()
    return file


@pytest.fixture
def ovs(netns, configuration):
    """Starts an Open vSwitch for the commands to use."""
    made = []

    def start():
        made.append(Switch(netns))
        options = f"ovsdb_connection={made[0].remote}\n[os_vif_network_local]\novs_datapath_type=netdev\n"
        configuration.write_text(f"[os_vif_ovs]\n{options}")

    yield start
    for switch in made:
        switch.close()


@pytest.fixture
def vif(netns, configuration):
    """Runs `vif ... -o json` in the namespace, and returns what it says."""

    def run(*arguments):
        ran = process(command(), *arguments, "-o", "json", "--config-file", configuration)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)

    with netns.enter():
        yield run


@pytest.fixture
def name():
    """A guest's name, which is also its namespace's."""
    return lambda text: f"{text}-{os.getpid()}"


def process(*words):
    """Not by `ip netns exec`, which would keep what is mounted in /run/netns to itself."""
    return subprocess.run(words, capture_output=True, text=True, check=False)


def inside(guest, *words):
    return process("ip", "netns", "exec", guest, *words)


def known(guest, address):
    """The MAC address that a guest knows for an IP address."""
    found = json.loads(inside(guest, "ip", "-j", "neigh", "show", "to", address).stdout or "[]")
    return found[0].get("lladdr") if found else None


def learns(guest, address, mac):
    """Waits until it does, but not for as long as neighbours remember by themselves."""
    end = time.monotonic() + 5
    while known(guest, address) != mac and time.monotonic() < end:
        time.sleep(0.05)
    return known(guest, address) == mac


@pytest.mark.parametrize(
    ("hypervisor", "switch"), [("netns", "linux_bridge"), ("qemu", "linux_bridge"), ("netns", "ovs")]
)
def test_neighbours_learn_who_has_an_address_now(vif, name, ovs, hypervisor, switch):
    """Also of a guest that has not started yet; and packets arrive."""
    if switch == "ovs":
        ovs()
    vif("network", "create", "blue", "--cidr", "192.0.2.0/24", "--cidr", "fd00:77::/64", "--switch", switch)
    watcher, first, second = name("watcher"), name("first"), name("second")
    vif("attach", watcher, "--network", "blue", "--hypervisor", "netns")
    asked = [word for address in ADDRESSES for word in ("--ip", address)]
    before = vif("attach", first, "--network", "blue", "--hypervisor", "netns", *asked)["mac_address"]
    for address in ADDRESSES:
        assert inside(watcher, "ping", "-c1", "-W5", address).returncode == 0
        assert known(watcher, address) == before
    vif("detach", first)
    now = vif("attach", second, "--network", "blue", "--hypervisor", hypervisor, *asked)["mac_address"]
    assert now != before
    for address in ADDRESSES:
        assert learns(watcher, address, now), address
        assert hypervisor != "netns" or inside(watcher, "ping", "-c1", "-W2", address).returncode == 0
    for guest in (second, watcher):
        vif("detach", guest)


def test_the_bridge_does_not_take_the_host_for_the_guest(netns, vif, name):
    """It learns where a guest is from the guest only."""
    network = vif("network", "create", "blue", "--cidr", "192.0.2.0/24")
    attached, stranger = vif("attach", name("guest"), "--network", "blue", "--hypervisor", "netns"), "52:54:00:00:00:99"
    assert inside(name("guest"), "ping", "-c1", "-W1", "192.0.2.9").returncode == 1
    neighbours.announce(network["bridge"], stranger, [ipaddress.ip_address("192.0.2.99")])
    learned = json.loads(netns.run(["bridge", "-j", "fdb", "show", "br", network["bridge"]]).stdout)
    assert attached["device"] in {entry["ifname"] for entry in learned}
    assert stranger not in {entry["mac"] for entry in learned}
    vif("detach", name("guest"))


@pytest.mark.parametrize("address", ["192.0.2.7", "192.0.2.8"])
def test_whether_somebody_answers(netns, new_netns, address):
    """Asked from a device without an address."""
    other = new_netns()
    netns.ip("link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", other.name)
    other.ip("address", "add", "192.0.2.7/24", "dev", "eth0")
    with netns.enter():
        assert neighbours.answers("eth1", ipaddress.ip_address(address)) is False
        netns.ip("link", "set", "eth1", "up")
        other.ip("link", "set", "eth0", "up")
        assert neighbours.answers("eth1", ipaddress.ip_address(address)) is (address == "192.0.2.7")
