# SPDX-License-Identifier: Apache-2.0
"""Representors that a driver of the kernel has made (netdevsim), and the kernel's own datapath of Open vSwitch.

What netdevsim lacks, a place on the PCI bus, is added in a tree of sysfs; what it has is as the kernel shows it.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from os_vif.host.kernel import sysfs
from os_vif.objects.network import Network
from os_vif.objects.vif import DatapathOffloadRepresentor, VIFHostDevice, VIFPortProfileOpenVSwitch
from os_vif.plugins.ovs import OvsPlugin
from support import differences, ovs_vifs, plugging, snapshot
from support.ovs import Switch
from support.sriov import SimulatedSwitch
from support.sysfs import Card, Netdev, build


@pytest.fixture
def simulated(inside, netns):
    """A card in switchdev mode, whose devices are in the namespace."""
    card = SimulatedSwitch(netns) if inside else None
    yield card
    if card:
        card.close()


@pytest.fixture
def switch(inside, netns):
    """Open vSwitch in the namespace."""
    if not inside:
        yield None
        return
    # Open vSwitch 3.1 believes of one that was started earlier that it had no packets for it.
    while float(Path("/proc/uptime").read_text().split()[0]) < 11:
        time.sleep(0.1)
    switch = Switch(netns)
    yield switch
    switch.close()


def virtual_function(address, number=1):
    """A VIF as Nova has it for a function of a card in switchdev mode."""
    offload = DatapathOffloadRepresentor(representor_name="tap1", representor_address=address)
    return VIFHostDevice(
        id=ovs_vifs.identity(number),
        plugin="ovs",
        address=f"52:54:00:00:00:{number:02x}",
        dev_type="ethernet",
        dev_address=address,
        network=Network(id=ovs_vifs.identity(9000), bridge="br-int", mtu=1450),
        port_profile=VIFPortProfileOpenVSwitch(interface_id=ovs_vifs.identity(number), datapath_offload=offload),
    )


def plug_host(switch, tree, directory):
    """A host that plugs into the switch."""
    plugin = plugging.configured(OvsPlugin, ovsdb_connection=switch.remote, ovs_vsctl_timeout=60)
    return plugging.PlugHost(switch.ns, directory, plugin, sysfs=tree)


def test_devlink_says_the_same(simulated, tmp_path):
    """Of each function, by the names that the kernel itself gives to ports."""
    tree = simulated.record(tmp_path / "sys")
    for number, address in enumerate(simulated.FUNCTIONS):
        assert sysfs.representor_of(address, tree) == simulated.representors[number]


def test_the_kernels_datapath_has_the_representor(simulated, switch, tmp_path):
    """Up, with the network's MTU and a number in the switch; plugging again writes nothing, unplugging restores."""
    host = plug_host(switch, simulated.record(tmp_path / "sys"), tmp_path)
    name, vif = simulated.representors[1], virtual_function(simulated.FUNCTIONS[1])
    before = snapshot.links(switch.ns.ip_json("link", "show"))[name]
    host.plug(vif)
    link = switch.ns.link(name)
    assert (link["master"], link["mtu"], "UP" in link["flags"]) == ("ovs-system", 1450, True)
    row = switch.rows("Interface")[name]
    assert (row["external_ids"]["iface-id"], row["error"], row["ofport"] > 0) == (vif.id, [], True)
    assert switch.rows("Bridge")["br-int"]["datapath_type"] == "system"
    with switch.watch() as watch, switch.ns.monitor() as monitor:
        host.plug(vif)
        assert watch.changes() == []
    assert monitor.events == []
    host.unplug(vif)
    switch.settle()
    assert differences(before, snapshot.links(switch.ns.ip_json("link", "show"))[name]) == []
    assert set(switch.rows("Port")) == {"br-int"}


def test_packets_go_through_the_kernels_datapath(switch, netns, new_netns, tmp_path):
    """From one function to another, with packets of the network's full MTU; the functions are ends of veth pairs."""
    physical, functions, guests = SimulatedSwitch.PHYSICAL, SimulatedSwitch.FUNCTIONS, []
    for number in (1, 2):
        guests.append(new_netns())
        netns.ip("link", "add", f"rep{number}", "type", "veth", "peer", "name", "eth0", "netns", guests[-1].name)
        guests[-1].ip("address", "add", f"10.0.0.{number}/24", "dev", "eth0")
        guests[-1].ip("link", "set", "eth0", "mtu", "1450", "up")
    ports = [("p", "p0"), ("rep1", "pf0vf0"), ("rep2", "pf0vf1")]
    card = Card({physical: functions}, [Netdev(name, physical, "aa", port) for name, port in ports])
    host = plug_host(switch, build(tmp_path / "sys", card), tmp_path)
    vifs = [virtual_function(address, number) for number, address in enumerate(functions, 1)]
    host.plug(*vifs)
    ping = ["ping", "-n", "-c", "3", "-i", "0.2", "-W", "5", "-M", "do", "-s", str(1450 - 28), "10.0.0.2"]
    guests[0].run(ping)
    host.unplug(*vifs)
    assert set(switch.rows("Port")) == {"br-int"}
    assert ["UP" in netns.link(name)["flags"] for name in ("rep1", "rep2")] == [False, False]
