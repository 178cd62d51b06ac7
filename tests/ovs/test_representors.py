# SPDX-License-Identifier: Apache-2.0
"""Virtual functions of a network card: what stands for one in the host becomes a port of the switch.

The card is a tree as sysfs would show it; its representors are ends of veth pairs, whose other ends are the guests'.
"""

from __future__ import annotations

import warnings

import pytest

from os_vif import exception
from os_vif.objects.network import Network
from os_vif.objects.vif import (
    DatapathOffloadRepresentor,
    VIFHostDevice,
    VIFPortProfileOpenVSwitch,
    VIFPortProfileOVSRepresentor,
)
from support import differences, ovs_vifs, snapshot
from support.sysfs import Card, Netdev, build

PF0, PF1 = "0000:03:00.0", "0000:03:00.1"
VFS0, VFS1 = ("0000:03:00.2", "0000:03:00.3"), ("0000:03:01.2", "0000:03:01.3")
SWITCH = "b4d9c8e7a6f50403"
#: Two ports on one switch.
CARD = Card(
    {PF0: VFS0, PF1: VFS1},
    (
        Netdev("p0", PF0, SWITCH, "p0"),
        Netdev("p1", PF1, SWITCH, "p1"),
        Netdev("pf0vf0", PF0, SWITCH, "pf0vf0"),
        Netdev("pf0vf1", PF0, SWITCH, "pf0vf1"),
        Netdev("pf1vf0", PF1, SWITCH, "pf1vf0"),
        Netdev("pf1vf1", PF1, SWITCH, "pf1vf1"),
    ),
)
#: What Nova says of the representor: a name that it has made up, and the address of the function.
NAMED = {"representor_name": "tap6d3e0001-4c", "representor_address": VFS0[1]}


def offloaded(**values):
    """Open vSwitch's own port profile."""
    return VIFPortProfileOpenVSwitch(datapath_offload=DatapathOffloadRepresentor(**NAMED), **values)


def deprecated(**values):
    """The profile of earlier times."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return VIFPortProfileOVSRepresentor(**NAMED, **values)


def both(**values):
    """The deprecated profile with all that the other one says: what Nova sends."""
    profile = deprecated(**values)
    profile.datapath_offload = DatapathOffloadRepresentor(**NAMED)
    return profile


PROFILES = [offloaded, deprecated, both]


def virtual_function(address=VFS0[1], *, profile=offloaded, number=1, **values):
    """A VIF whose guest gets the function at a PCI address."""
    interface_id = ovs_vifs.identity(number)
    return VIFHostDevice(
        id=interface_id,
        plugin="ovs",
        address=f"52:54:00:00:00:{number:02x}",
        dev_type="ethernet",
        dev_address=address,
        network=Network(id=ovs_vifs.identity(9000), bridge="br-int", mtu=1450),
        port_profile=profile(interface_id=interface_id, **values),
    )


@pytest.fixture
def card(tmp_path):
    """The tree."""
    return build(tmp_path / "sys", CARD)


@pytest.fixture
def userspace(switch):
    """The switch, with an integration bridge that works without the kernel's module."""
    switch.vsctl("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev")
    return switch


@pytest.mark.parametrize("profile", PROFILES)
def test_packets_go_through_the_representor(userspace, host_on, card, guest, profile):
    """The port has all columns, the device the network's MTU and no host IP; re-plug writes nothing, unplug restores.

    The device keeps its name. What Nova calls it is nowhere on the host.
    """
    host, vif = host_on(userspace, sysfs=card), virtual_function(profile=profile)
    one = guest("", "pf0vf1", "10.0.0.1/24", mtu=1500)
    userspace.ns.ip("link", "set", "pf0vf1", "down")
    two = guest("", "other", "10.0.0.2/24")
    userspace.vsctl("add-port", "br-int", "other")
    before, rows = userspace.ns.snapshot(), userspace.look()
    host.plug(vif)
    interface = userspace.rows("Interface")["pf0vf1"]
    assert interface["external_ids"] == {
        "iface-id": vif.id,
        "iface-status": "active",
        "attached-mac": "52:54:00:00:00:01",
        "vm-uuid": "5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d",
    }
    assert [interface[key] for key in ("type", "options", "error", "mtu")] == ["", {}, [], 1450]
    now = userspace.ns.snapshot()
    assert differences(before, now) == [
        "links/pf0vf1/flags: new: PROMISC",
        "links/pf0vf1/flags: new: UP",
        "links/pf0vf1/mtu: 1500 -> 1450",
        "links/pf0vf1/promiscuity: 0 -> 1",
        "sysctls/ipv4/pf0vf1/arp_announce: 0 -> 2",
        "sysctls/ipv4/pf0vf1/arp_ignore: 0 -> 1",
        "sysctls/ipv6/pf0vf1/disable_ipv6: 0 -> 1",
        "sysctls/ipv6/pf0vf1/mtu: 1500 -> 1450",
    ]
    ping = ["ping", "-n", "-c", "2", "-i", "0.1", "-W", "2"]
    one.run([*ping, "10.0.0.2"])
    two.run([*ping, "10.0.0.1"])
    with userspace.watch() as watch, userspace.ns.monitor() as monitor:
        host.plug(vif)
        host_on(userspace, sysfs=card).plug(vif)
        assert watch.changes() == []
    assert monitor.events == []
    host.unplug(vif)
    assert differences(before, userspace.ns.snapshot()) == []
    assert differences(rows, userspace.look()) == []


@pytest.mark.parametrize("options", [{}, {"isolate_vif": True}], ids=["plain", "isolated"])
@pytest.mark.parametrize("profile", PROFILES)
def test_the_rows_are_upstreams(kernel_switch, host_on, upstream_on, card, profile, options):
    """On the kernel's datapath: bridge, port, interface and QoS, and the devices, while plugged and afterwards.

    Upstream leaves the device with the network's MTU; we give it back its own.
    """
    vif, host = virtual_function(profile=profile), host_on(kernel_switch, sysfs=card, **options)
    upstream = upstream_on(kernel_switch, card)
    kernel_switch.ns.ip("link", "add", "pf0vf1", "type", "veth", "peer", "name", "far")
    upstream.plug(vif, **options)
    theirs = look(kernel_switch)
    upstream.unplug(vif, **options)
    theirs_after = look(kernel_switch)
    kernel_switch.vsctl("del-br", "br-int")
    kernel_switch.ns.ip("link", "set", "pf0vf1", "mtu", "1500")
    host.plug(vif)
    assert differences(theirs, look(kernel_switch)) == []
    assert theirs["rows"]["Port"]["pf0vf1"]["qos"] != []
    host.unplug(vif)
    assert differences(theirs_after, look(kernel_switch)) == ["links/pf0vf1/mtu: 1450 -> 1500"]


def test_each_port_of_a_card_has_functions_of_the_same_numbers(userspace, host_on, card):
    """Number 1 of one and number 1 of the other, on one switch, are told apart."""
    for name in ("pf0vf1", "pf1vf1"):
        userspace.ns.ip("link", "add", name, "type", "veth", "peer", "name", f"far-{name}")
    vifs = [virtual_function(address, number=number) for number, address in enumerate((VFS0[1], VFS1[1]), 1)]
    host_on(userspace, sysfs=card).plug(*vifs)
    ids = {name: row["external_ids"].get("iface-id") for name, row in userspace.rows("Interface").items()}
    assert ids == {"br-int": None, "pf0vf1": vifs[0].id, "pf1vf1": vifs[1].id}


def test_a_failure_at_any_step_leaves_the_representor_as_it_was(userspace, host_on, card):
    """Every step of the plan is refused once."""
    host, vif = host_on(userspace, sysfs=card), virtual_function()
    userspace.ns.ip("link", "add", "pf0vf1", "type", "veth", "peer", "name", "far")
    before, rows = userspace.ns.snapshot(), userspace.look()
    count = len(host.plan(vif))
    for number in range(count):
        with host.failing_at(number), pytest.raises(exception.StepFailed):
            host.plug(vif)
        assert differences(before, userspace.ns.snapshot()) == []
        assert differences(rows, userspace.look()) == []
    assert count >= 6


def test_a_card_in_legacy_mode_is_refused(switch, host_on, tmp_path):
    """It has no representors. Nothing is touched, not even the bridge."""
    tree = build(tmp_path / "sys", Card({PF0: VFS0}, (Netdev("p0", PF0),)))
    with pytest.raises(exception.DeviceMissing) as caught:
        host_on(switch, sysfs=tree).plug(virtual_function())
    assert str(caught.value) == (
        f"VIF {ovs_vifs.identity(1)}: the card of virtual function {VFS0[1]} is not in switchdev mode: {PF0} has no"
        " phys_switch_id."
    )
    assert switch.rows("Bridge") == {}


def test_dpdk_is_told_which_function_it_is(dpdk_switch, host_on, upstream_on, card):
    """As upstream tells it. It has no such card: upstream leaves the port so, and we say what DPDK says, and undo.

    Besides we ask for the network's MTU. What upstream has left, unplugging removes.
    """
    host, vif = host_on(dpdk_switch, sysfs=card), virtual_function(datapath_type="netdev")
    upstream_on(dpdk_switch, card).plug(vif)
    theirs = dpdk_switch.rows("Interface")["vfr6d3e0001-4c"]
    host.unplug(vif)
    assert set(dpdk_switch.rows("Interface")) == {"br-int"}
    with dpdk_switch.watch() as watch:
        with pytest.raises(exception.StepFailed) as caught:
            host.plug(vif)
        inserted = watch.changes()[0]["Interface"].values()
    [ours] = [row["new"] for row in inserted if row["new"]["name"] == theirs["name"]]
    assert (ours["type"], dict(ours["options"][1])) == (theirs["type"], theirs["options"])
    assert dict(ours["external_ids"][1]) == theirs["external_ids"]
    assert (ours["mtu_request"], theirs["mtu_request"]) == (1450, [])
    assert theirs["options"] == {"dpdk-devargs": f"{PF0},representor=[1]"}
    assert str(caught.value) == (
        f"Could not add port vfr6d3e0001-4c to Open vSwitch bridge br-int (device vfr6d3e0001-4c, VIF {vif.id}): "
        f"Error attaching device '{PF0},representor=[1]' to DPDK"
    )
    assert set(dpdk_switch.rows("Interface")) == {"br-int"}


def look(switch):
    """The rows but for our marks, and the devices."""
    switch.settle()
    rows = switch.look()
    for table in ("Bridge", "Port", "Interface"):
        for row in rows[table].values():
            ids = row["external_ids"]
            row["external_ids"] = {key: ids[key] for key in ids if not key.startswith("os-vif")}
    return {"rows": rows, "links": snapshot.links(switch.ns.ip_json("link", "show"))}
