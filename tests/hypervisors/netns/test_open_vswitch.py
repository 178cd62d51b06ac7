# SPDX-License-Identifier: Apache-2.0
"""Interfaces of namespaces in a real Open vSwitch: the plugin makes the port, the driver the device of its name."""

from __future__ import annotations

import socket

from netaddr import IPNetwork

from os_vif.hypervisors.driver import Guest
from os_vif.objects.fixed_ip import FixedIP, FixedIPList
from os_vif.objects.subnet import Subnet, SubnetList
from os_vif.plugins.ovs import OvsPlugin
from support import differences, ovs_vifs, plugging, vifs


def native(number):
    vif = ovs_vifs.native(number=number, create_port=True)
    ips = FixedIPList(objects=[FixedIP(address=f"10.0.0.{number}")])
    vif.network.subnets = SubnetList(objects=[Subnet(cidr=IPNetwork("10.0.0.0/24"), ips=ips)])
    return vif


def test_guests_on_open_vswitch_reach_each_other(host, own_switch, new_netns, tmp_path):
    """By ping, and by TCP: packets leave with their checksums filled in, or this datapath would lose them."""
    plugs = plugging.PlugHost(
        own_switch.ns, tmp_path, plugging.configured(OvsPlugin, ovsdb_connection=own_switch.remote)
    )
    before = own_switch.ns.link_names()
    pairs = [(native(number), new_netns()) for number in (1, 2)]
    for vif, inside in pairs:
        plugs.plug(vif)
        host.attach(vif, Guest("guest", vifs.INSTANCE.uuid, endpoint=inside.name))
    (_, near), (_, far) = pairs
    near.run(["ping", "-c1", "-W5", "10.0.0.2"])
    assert tcp(near, far, "10.0.0.2") == b"through"
    assert near.link("eth0")["mtu"] == 1450
    ports = {name: row["ofport"] for name, row in own_switch.rows("Interface").items() if name.startswith("tap")}
    assert len(ports) == 2
    assert all(number > 0 for number in ports.values())
    for vif, inside in pairs:
        host.detach(vif, Guest("guest", vifs.INSTANCE.uuid, endpoint=inside.name))
        plugs.unplug(vif)
    assert differences(sorted(before | {"br-int", "ovs-netdev"}), sorted(own_switch.ns.link_names())) == []
    plugs.engine.backends["ovs"].close()


def tcp(near, far, address):
    """What arrives in one namespace when the other sends it by TCP."""
    listening = far.inside(lambda: socket.create_server((address, 5000)))
    with listening:
        listening.settimeout(10)
        sending = near.inside(lambda: socket.create_connection((address, 5000), timeout=10))
        with sending:
            sending.sendall(b"through")
            accepted, _ = listening.accept()
            with accepted:
                accepted.settimeout(10)
                return accepted.recv(100)
