# SPDX-License-Identifier: Apache-2.0
"""What the driver answers is what os_vif.plug() makes a working network of: guests reach each other."""

from __future__ import annotations

import contextlib

import pytest

import os_vif
from os_vif.loading import plugins
from os_vif.plugging import current
from os_vif.plugins.ovs import OvsPlugin
from os_vif.testing import fake_host, offers
from support import plugging as support_plugging
from support import require, require_tun, vifs


@contextlib.contextmanager
def _plugging_in(namespace):
    with namespace.enter():
        before = current.in_use()
        current.use(None)
        os_vif.initialize()
        yield namespace
        engine = current.engine()
        engine.journal.close()
        engine.backends["ovs"].close()
        current.use(before)


@pytest.fixture
def host(netns):
    """A host to plug into."""
    with _plugging_in(netns):
        yield netns


@pytest.fixture
def switch(_shared_switch, monkeypatch):
    """A host to plug into that has Open vSwitch."""
    os_vif.initialize()
    plugin = support_plugging.configured(OvsPlugin, ovsdb_connection=_shared_switch.remote, ovs_vsctl_timeout=20)
    monkeypatch.setitem(plugins.plugins(), "ovs", plugin)
    with _plugging_in(_shared_switch.ns):
        yield _shared_switch
    _shared_switch.clean()


@pytest.fixture
def guest(new_netns):
    """Connects a guest as a hypervisor does, which makes the device: guest(host, vif, bridge=...)."""

    def connect(host, vif, bridge=None):
        other = new_netns()
        name, mtu = vif.vif_name, str(vif.network.mtu)
        host.ip("link", "add", name, "mtu", mtu, "type", "veth", "peer", "name", "eth0", "netns", other.name)
        if bridge:
            host.ip("link", "set", name, "master", bridge)
        host.ip("link", "set", name, "up")
        other.ip("link", "set", "eth0", "address", vif.address, "mtu", mtu, "up")
        for subnet in vif.network.subnets:
            for fixed in subnet.ips:
                other.ip("address", "add", f"{fixed.address}/{str(subnet.cidr).partition('/')[2]}", "dev", "eth0")
        return other

    return connect


def _addresses(vif):
    return [str(fixed.address) for subnet in vif.network.subnets for fixed in subnet.ips]


def _reaches(guest, vif):
    pings = [["ping", "-n", "-c", "2", "-i", "0.1", "-W", "2", address] for address in _addresses(vif)]
    return [guest.run(ping, check=False).returncode for ping in pings] == [0] * len(pings)


def test_guests_on_a_linux_bridge(side, host, guest):
    """By IPv4 and IPv6; with the last of them the bridge goes."""
    network = side.create(cidrs=["192.0.2.0/24", "fd00:77::/64"], mtu=1400)
    before = host.snapshot()
    one, other = (side.bind(offers.offer("bridge")).vif for _ in range(2))
    for vif in (one, other):
        os_vif.plug(vif, vifs.INSTANCE)
    first, _ = (guest(host, vif, bridge=vif.bridge_name) for vif in (one, other))
    assert len(_addresses(other)) == 2
    assert _reaches(first, other)
    assert host.link(network.bridge)["mtu"] == 1400
    for vif in (one, other):
        host.ip("link", "delete", vif.vif_name)
        os_vif.unplug(vif, vifs.INSTANCE)
    assert host.snapshot() == before


def test_a_tap_in_a_linux_bridge(side, host):
    """Made by the plugin, for a hypervisor that only opens it; beside a guest whose hypervisor makes the device."""
    require_tun()
    side.create(mtu=1400)
    tap, bridge = side.bind(offers.offer("tap")).vif, side.bind(offers.offer("bridge")).vif
    for vif in (tap, bridge):
        os_vif.plug(vif, vifs.INSTANCE)
    assert (host.link(tap.vif_name)["master"], host.link(tap.vif_name)["mtu"]) == (bridge.bridge_name, 1400)


@pytest.mark.parametrize("queues", [1, 4])
def test_a_tap_has_several_queues_if_the_guest_has(side, host, queues):
    """Who opens it has to know how many it opens."""
    require_tun()
    side.create()
    vif = side.bind(offers.offer("tap"), queues=queues).vif
    os_vif.plug(vif, vifs.INSTANCE)
    assert host.link(vif.vif_name)["linkinfo"]["info_data"]["multi_queue"] is (queues > 1)


def test_a_vlan_on_an_uplink(side):
    """The VLAN device is a port of the bridge."""
    side.create(bridge="br0", uplink="eth1", vlan=42)
    with fake_host() as host:
        host.somebody.add_nic("eth1")
        os_vif.plug(side.bind(offers.offer("bridge")).vif, vifs.INSTANCE)
        assert host.links["vlan42"].parent == "eth1"
        assert host.links["vlan42"].master == "br0"


def test_an_uplink_without_vlan(side, host, new_netns, guest):
    """A guest reaches who is at the other end of the wire."""
    side.create(uplink="eth1", pools=["192.0.2.10-192.0.2.20"])
    beyond = new_netns()
    host.ip("link", "add", "eth1", "type", "veth", "peer", "name", "eth0", "netns", beyond.name)
    beyond.ip("address", "add", "192.0.2.1/24", "dev", "eth0")
    beyond.ip("link", "set", "eth0", "up")
    vif = side.bind(offers.offer("bridge")).vif
    os_vif.plug(vif, vifs.INSTANCE)
    inside = guest(host, vif, bridge=vif.bridge_name)
    assert _reaches(beyond, vif)
    assert inside.run(["ping", "-n", "-c", "1", "-W", "2", "192.0.2.1"]).returncode == 0


def test_guests_on_open_vswitch(new_side, switch, guest):
    """Native and hybrid, where the hypervisor makes the device; ports are known by the port's id."""
    side = new_side(ovs_datapath_type="netdev")
    network = side.create(switch="ovs", mtu=1400)
    native = side.bind(offers.offer("ovs", device_by=["hypervisor"])).vif
    hybrid = side.bind(offers.offer("ovs-hybrid")).vif
    for vif in (native, hybrid):
        os_vif.plug(vif, vifs.INSTANCE)
    first, _ = guest(switch.ns, native), guest(switch.ns, hybrid, bridge=hybrid.bridge_name)
    switch.settle()
    assert _reaches(first, hybrid)
    assert switch.vsctl("list-ports", network.bridge).split() == sorted([native.vif_name, f"qvo{hybrid.id}"[:14]])
    assert switch.rows("Interface")[native.vif_name]["external_ids"]["iface-id"] == native.id


def test_a_tap_of_open_vswitch(new_side, switch):
    """Made by the plugin where the hypervisor cannot: with several queues if the guest wants them."""
    side = new_side(ovs_datapath_type="netdev")
    side.create(switch="ovs")
    vif = side.bind(offers.offer("ovs", device_by=["plugin"]), queues=4).vif
    os_vif.plug(vif, vifs.INSTANCE)
    assert switch.ns.link(vif.vif_name)["linkinfo"]["info_data"]["multi_queue"] is True
    assert switch.rows("Interface")[vif.vif_name]["error"] == []


def test_dhcp_on_open_vswitch(new_side, switch, guest, tmp_path):
    """On the device that the bridge has in the host."""
    require("dnsmasq", "dnsmasq-base")
    require("busybox", "busybox-static")
    side = new_side(ovs_datapath_type="netdev")
    side.create(switch="ovs", dhcp=True)
    vif = side.bind(offers.offer("ovs", device_by=["hypervisor"])).vif
    os_vif.plug(vif, vifs.INSTANCE)
    inside = guest(switch.ns, vif)
    inside.ip("address", "flush", "dev", "eth0")
    switch.settle()
    script = tmp_path / "told"
    script.write_text("#!/bin/sh\necho $1 $ip\n")
    script.chmod(0o755)
    told = inside.run(["busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-t", "5", "-T", "1", "-s", script])
    assert f"bound {_addresses(vif)[0]}" in told.stdout
    side.driver.unbind(vif.id, "host-a")
    side.manager.delete("blue")


def test_a_gateway_beyond_open_vswitch_is_asked_for(new_side, switch, new_netns):
    """Where its bridge leads only its ports know: guests are told of a gateway once it answers, and from then on."""
    require("dnsmasq", "dnsmasq-base")
    side = new_side(ovs_datapath_type="netdev")
    network = side.create(switch="ovs", gateways=["192.0.2.254"], dhcp=True)
    assert side.manager.gateways_of_nobody(network) == ["192.0.2.254"]
    router = new_netns()
    switch.ns.ip("link", "add", "out", "type", "veth", "peer", "name", "eth0", "netns", router.name)
    switch.ns.ip("link", "set", "out", "up")
    router.ip("address", "add", "192.0.2.254/24", "dev", "eth0")
    router.ip("link", "set", "eth0", "up")
    switch.vsctl("add-port", network.bridge, "out")
    switch.settle()
    side.driver.repair_services()
    assert side.manager.gateways_of_nobody(network) == []
    router.ip("link", "set", "eth0", "down")
    side.driver.repair_services()
    assert side.manager.gateways_of_nobody(network) == []
    side.manager.delete("blue")


def test_a_vhost_user_port(new_side):
    """The hypervisor makes the socket, where it is told to; the port is named as the plugin will."""
    side = new_side(ovs_datapath_type="netdev", ovs_dpdk=True, vhostuser_socket_dir="/run/vhu")
    side.create(switch="ovs")
    vif = side.bind(offers.offer("vhostuser")).vif
    assert (vif.mode, vif.path) == ("server", f"/run/vhu/vhu{vif.id}"[: len("/run/vhu/") + 14])
    assert (vif.vif_name, vif.port_profile.datapath_type) == (f"vhu{vif.id}"[:14], "netdev")
