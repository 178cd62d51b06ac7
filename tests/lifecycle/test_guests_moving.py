# SPDX-License-Identifier: Apache-2.0
"""A virtual machine moves from host to host while it is pinged: silent there before, heard there after."""

from __future__ import annotations

import contextlib
import socket
import time

import pytest

from support.commanded import NETWORK, Host, address, boot, configure
from support.guest import moving, small
from support.parts import require_tun
from support.pinging import Pinging

WIRE = "wire"
PORT = ["-device", "pcie-root-port,id=port1,chassis=1"]


@pytest.fixture
def hosts(new_netns, tmp_path):
    """Two hosts with a wire between them, which see the same networks."""
    require_tun()
    one, two = new_netns(), new_netns()
    one.ip("link", "add", WIRE, "type", "veth", "peer", "name", WIRE, "netns", two.name)
    with Host("one", one, tmp_path) as source, Host("two", two, tmp_path) as destination:
        for host in (source, destination):
            host.ns.ip("link", "set", WIRE, "up")
        yield source, destination


@pytest.fixture(params=["linux_bridge", "ovs"])
def network(request, hosts):
    """A network that leads from host to host."""
    create = ("network", "create", NETWORK, "--cidr", "10.0.0.0/24", "--switch", request.param)
    if request.param == "linux_bridge":
        return hosts[0].vif(*create, "--uplink", WIRE)
    made = hosts[0].vif(*create)
    for host in hosts:
        bridge = ("add-br", made["bridge"], "--", "set", "Bridge", made["bridge"], "datapath_type=netdev")
        host.switch.vsctl(*bridge, "--", "add-port", made["bridge"], WIRE)
    return made


@pytest.fixture
def peer(new_netns):
    """A namespace, which will be beside the guest."""
    return new_netns()


@pytest.fixture
def mover(network, hosts):
    """What the guest is attached by on the first host."""
    return hosts[0].attach("mover")


@pytest.fixture
def guest(mover, peer, hosts):
    """The guest, which runs on the first host; its peer comes while it boots."""
    with boot(hosts[0], mover) as running:
        hosts[0].vif("attach", "peer", "--network", NETWORK, "--hypervisor", "netns", "--endpoint", peer.name)
        running.wait()
        yield running


@pytest.fixture
def arrival(hosts):
    """Starts a QEMU on the second host for the guest to come to, with what the command printed there."""
    with contextlib.ExitStack() as running:

        def expect(prepared, *more):
            made = running.enter_context(boot(hosts[1], prepared, moving.ARRIVING, *more))
            moving.expect(made)
            return made

        yield expect


def test_a_guest_moves_and_is_heard_where_it_went(hosts, peer, mover, guest, arrival):
    """The first time it is given up, while the guest stands still already: what comes for it waits in its tap.

    What it gets at the destination is down, and carries nothing, until it comes; nothing of it is left behind.
    """
    source, destination = hosts
    before = destination.traces()
    with Pinging(peer, address(mover)) as pings:
        moving.begin(guest, arrival(destination.prepare("mover")))
        time.sleep(0.5)  # for some to come
        moving.give_up(guest)
        destination.vif("migrate", "abort", "mover")
        pings.hear()
        assert all(len(gap) == 1 for gap in pings.gaps())  # QEMU may drop what it has just read when it stops
        assert destination.traces() == before
        assert hosts_of(mover, source) == ["one"]

        prepared = destination.prepare("mover")
        arrived = arrival(prepared)
        assert_silent(destination, prepared["device"], peer)
        moving.begin(guest, arrived)
        destination.vif("migrate", "activate", "mover")
        moving.finish(guest)
        guest.stop()
        source.vif("detach", "mover")
        pings.hear()
        # One outage; and QEMU may drop what it has just read when it stops.
        assert len([gap for gap in pings.gaps() if len(gap) > 1]) <= 1
        print(f"lost: {sum(map(len, pings.gaps()))} of {max(pings.answered())} pings, twenty a second")
        assert arrived.reaches(address_of(peer))
    assert mover["device"] not in source.ns.link_names()
    assert hosts_of(mover, source) == ["two"]
    destination.vif("detach", "mover")
    assert destination.traces() == before
    assert hosts_of(mover, source) == []


@pytest.mark.parametrize("network", ["linux_bridge"], indirect=True)
def test_a_card_that_came_while_it_ran_moves_too_and_is_given_back_there(hosts, network, arrival, tmp_path):
    """The printed arguments put it where it was; QEMU at the source is still there when its part is taken away."""
    source, destination = hosts
    with small.Guest(source.ns, PORT) as guest:
        guest.wait()
        mover = source.attach("mover", "--hot", "--endpoint", guest.qmp)
        name = configure(guest, mover)
        place = tmp_path / "qmp"
        prepared = destination.prepare("mover", "--hot", "--endpoint", place, "--option", "bus=port1")
        arrived = arrival(prepared, PORT)
        place.symlink_to(arrived.qmp)
        moving.begin(guest, arrived)
        destination.vif("migrate", "activate", "mover")
        moving.finish(guest)
        source.vif("detach", "mover")
    destination.ns.ip("address", "add", "10.0.0.254/24", "dev", network["bridge"])
    assert arrived.reaches("10.0.0.254")
    destination.vif("detach", "mover")
    assert name not in arrived.run("ls /sys/class/net").split()
    assert hosts_of(mover, source) == []


def assert_silent(host, device, peer):
    """A broadcast reaches the host, and does not leave by the device."""
    before = packets(host, WIRE)["rx"]
    peer.inside(broadcast)
    end = time.monotonic() + 120
    while packets(host, WIRE)["rx"] == before:
        assert time.monotonic() < end
    assert packets(host, device) == {"rx": 0, "tx": 0}
    assert "UP" not in host.ns.link(device)["flags"]


def broadcast():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.sendto(b"who is there", ("10.0.0.255", 9))


def packets(host, device):
    """How many a device has carried."""
    counted = host.ns.ip_json("-s", "link", "show", device)[0]["stats64"]
    return {way: counted[way]["packets"] for way in ("rx", "tx")}


def address_of(namespace):
    return namespace.ip_json("-4", "address", "show", "eth0")[0]["addr_info"][0]["local"]


def hosts_of(attached, host):
    """On which hosts its port is bound."""
    ports = host.vif("network", "ports")
    return [on["host"] for port in ports if port["port_id"] == attached["port_id"] for on in port["bindings"]]
