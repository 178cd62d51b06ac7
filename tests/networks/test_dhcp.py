# SPDX-License-Identifier: Apache-2.0
"""Guests get their addresses by DHCP, from a real dnsmasq, asked for by a real client in a namespace."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
from pathlib import Path

import pytest

import os_vif
from os_vif import exception, plugging, upkeep
from os_vif.networks.local.dnsmasq import Dnsmasq
from os_vif.testing import offers
from os_vif.testing.conformance.processes import start, wait
from support import differences, require
from support.network_side import Side

_SHOW = 'echo "$1 $ip $mask $router $mtu $serverid"'


@pytest.fixture(autouse=True)
def _parts():
    require("dnsmasq", "dnsmasq-base")
    require("busybox", "busybox-static")


@pytest.fixture
def host(netns, side, monkeypatch):
    """A host with a network side; what is made on it goes before the host does."""
    with netns.enter():
        before = plugging.in_use()
        plugging.use(None)
        yield netns
        for network in side.manager.networks():
            for port in side.manager.ports(network.id):
                for binding in port.bindings:
                    side.driver.unbind(port.port_id, binding.host)
            side.manager.delete(network.id)
        plugging.use(before)


@pytest.fixture
def bind(side):
    """Binds a port on the first host."""
    return lambda **fields: side.bind(offers.offer("bridge", "ovs"), **fields)


@pytest.fixture
def ask(host, new_netns, tmp_path):
    """What a guest with a VIF is told by DHCP; "" for nothing. The guest lets go of nothing when it goes."""
    script = tmp_path / "told"
    script.write_text(f"#!/bin/sh\n{_SHOW}\n")
    script.chmod(0o755)

    def do(vif, mac=""):
        guest, name, bridge = new_netns(), vif.vif_name, vif.bridge_name
        host.ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", guest.name)
        host.ip("link", "set", name, "master", bridge, "up")
        guest.ip("link", "set", "eth0", "address", mac or vif.address, "up")
        told = guest.run(
            ["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-t", "3", "-T", "1", "-O", "mtu", "-s", script],
            check=False,
        )
        host.ip("link", "delete", name)
        guest.close()
        bound = [line for line in told.stdout.splitlines() if line.startswith("bound ")]
        return bound[0].removeprefix("bound ") if bound else ""

    return do


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""  # empty for one that nobody has waited for
    except FileNotFoundError:
        return False


def test_each_guest_is_told_its_own_address(side, host, bind, ask):
    """With the gateway, the MTU, and no other; a MAC that nobody knows is told nothing."""
    side.create(gateways=["192.0.2.254"], mtu=1450, dhcp=True)
    one, other = bind().vif, bind().vif
    addresses = [side.driver.show(vif.id).ip_addresses[0] for vif in (one, other)]
    assert ask(other) == f"{addresses[1]} 24 192.0.2.254 1450 192.0.2.1"
    assert ask(one) == f"{addresses[0]} 24 192.0.2.254 1450 192.0.2.1"
    assert ask(one, mac="52:54:00:00:00:01") == ""


def test_without_a_gateway_none_is_told(side, bind, ask):
    """A guest would send to the DHCP server what it is not for."""
    side.create(dhcp=True)
    vif = bind().vif
    assert ask(vif) == "{} 24  1500 192.0.2.1".format(*side.driver.show(vif.id).ip_addresses)


def test_an_address_is_given_on_at_once(side, bind, ask):
    """Although the guest that had it has let go of nothing, and its lease is still running."""
    side.create(pools=["192.0.2.10-192.0.2.11"], dhcp=True)
    first = bind().vif
    assert ask(first).startswith("192.0.2.11 ")
    side.driver.unbind(first.id, "host-a")
    second = bind().vif
    assert second.address != first.address
    assert ask(second).startswith("192.0.2.11 ")


def test_everything_goes_with_the_network(side, host):
    """The process, the bridge, the address, and the files; nothing is recorded."""
    before = host.snapshot()
    network = side.create(dhcp=True)
    pid = int((side.directory / "dhcp" / network.id / "pid").read_text())
    assert [a["local"] for link in host.ip_json("-4", "addr", "show", network.bridge) for a in link["addr_info"]] == [
        "192.0.2.1"
    ]
    side.manager.delete("blue")
    assert not _runs(pid)
    assert host.snapshot() == before
    assert list((side.directory / "dhcp").iterdir()) == []
    assert plugging.engine().journal.records() == []


def test_beside_the_addresses_of_an_uplink(side, host):
    """They move to the bridge and back; its own comes to them and goes, and is nothing to repair."""
    host.ip("link", "add", "eth1", "type", "veth", "peer", "name", "wire")
    host.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/eth1/disable_ipv6"])
    host.ip("address", "add", "10.0.0.5/24", "dev", "eth1")
    host.ip("link", "set", "eth1", "up")
    before = host.snapshot()
    network = side.create(uplink="eth1", dhcp=True)
    (link,) = host.ip_json("-4", "addr", "show", network.bridge)
    assert {address["local"] for address in link["addr_info"]} == {"10.0.0.5", "192.0.2.1"}
    (record,) = os_vif.records()
    assert os_vif.check(*upkeep.recorded_pair(record)).ok
    side.manager.delete("blue")
    assert differences(before, host.snapshot()) == []


def test_killed_it_is_started_by_the_next_port(side, host, bind, ask):
    """As after a reboot."""
    network = side.create(dhcp=True)
    pid = int((side.directory / "dhcp" / network.id / "pid").read_text())
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([process], [], [], 10)[0]
    os.close(process)
    assert not side.manager.dhcp_runs(network)
    vif = bind().vif
    assert ask(vif)
    assert side.manager.dhcp_runs(network)


def test_a_port_on_another_host_is_told_of(side, host, new_netns, ask):
    """Both have the same database; the server stays where it is."""
    network = side.create(dhcp=True)
    with new_netns().enter():
        plugging.use(None)
        vif = side.bind(offers.offer("bridge", host="host-b")).vif
        with pytest.raises(exception.NetworkConflict):
            side.driver.unbind(vif.id, "host-b"), side.manager.delete(network.id)
        vif = side.bind(offers.offer("bridge", host="host-b")).vif
    plugging.use(None)
    assert ask(vif)


def test_an_address_is_given_on_by_another_host(side, host, bind, new_netns, ask):
    """The server is started anew where it was, not where the port was let go of."""
    side.create(pools=["192.0.2.10-192.0.2.11"], dhcp=True)
    first = bind().vif
    assert ask(first).startswith("192.0.2.11 ")
    with new_netns().enter():
        plugging.use(None)
        side.driver.unbind(first.id, "host-a")
    plugging.use(None)
    assert ask(bind().vif).startswith("192.0.2.11 ")


@pytest.mark.parametrize("moment", ["write_configuration", "start"])
def test_killed_while_a_network_is_made(side, host, monkeypatch, moment):
    """There is a network, which can be deleted, and nothing is left then."""
    before = host.snapshot()

    def make():
        plugging.use(None)
        Side(side.directory / "networks.db").create(dhcp=True)

    with monkeypatch.context() as patch:
        patch.setattr(Dnsmasq, moment, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        assert wait(start(make)) == -signal.SIGKILL
    side.manager.delete("blue")
    assert host.snapshot() == before
    assert plugging.engine().journal.records() == []


def test_two_networks_beside_each_other(side, bind, ask):
    """Each server is on its own bridge only."""
    side.create("blue", dhcp=True)
    side.create("red", cidrs=["198.51.100.0/24"], dhcp=True)
    assert ask(bind(network="red").vif).startswith("198.51.100.2 ")
    assert ask(bind(network="blue").vif).startswith("192.0.2.2 ")


def test_without_dnsmasq_nothing_is_made(side, host, monkeypatch):
    """The error says what to install."""
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    before = host.snapshot()
    with pytest.raises(exception.NetworkUnavailable, match="dnsmasq, which serves DHCP, is not installed") as caught:
        side.create(dhcp=True)
    assert caught.value.hint == "apt-get install --no-install-recommends dnsmasq-base"
    assert (side.manager.networks(), host.snapshot()) == ([], before)


def _no_directory(side):
    side.directory.joinpath("dhcp").write_text("in the way")
    return contextlib.nullcontext()


def _port_in_use(side):
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("0.0.0.0", 67))
    return other


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(_no_directory, "Not a directory"), (_port_in_use, "failed to bind DHCP server socket: Address already in use")],
)
def test_a_server_that_cannot_start_leaves_nothing(side, host, trouble, words):
    """The system's own words, or dnsmasq's, are the error; a bridge that was there stays."""
    host.ip("link", "add", "br0", "type", "bridge")
    before = host.snapshot()
    with trouble(side), pytest.raises(exception.NetworkUnavailable, match=words):
        side.create(bridge="br0", dhcp=True)
    assert (side.manager.networks(), host.snapshot()) == ([], before)
    assert plugging.engine().journal.records() == []
