# SPDX-License-Identifier: Apache-2.0
"""VLAN devices, where the kernel has 8021q: here, or else in a guest that has it (see the fixture `vlans`)."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.objects.network import Network
from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from os_vif.plugins.macvtap import MacvtapPlugin
from support import differences, plugging, vifs

pytestmark = pytest.mark.usefixtures("vlans")


def vlan(number=1, vlan_id=7, **network):
    return vifs.bridge("br0", number=number, should_provide_vlan=True, vlan=vlan_id, bridge_interface="eth9", **network)


def test_a_vlan_device_joins_the_bridge(host, wire):
    """vlan<id> on the interface, with the network's MTU, up, a port of the bridge, without host IP; then all is gone.

    The interface's own addresses are for packets without a tag, and stay.
    """
    host.ns.ip("address", "add", "10.1.0.5/24", "dev", wire)
    before = host.ns.snapshot()
    host.plug(vlan(mtu=1400))
    link = host.ns.link("vlan7")
    assert (link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["id"]) == ("vlan", 7)
    assert (link["link"], link["master"], link["mtu"], host.ns.link("br0")["mtu"]) == ("eth9", "br0", 1400, 1400)
    now = host.ns.snapshot()
    assert "UP" in now["links"]["vlan7"]["flags"]
    assert now["sysctls"]["ipv6/vlan7"]["disable_ipv6"] == "1"
    assert [now["links"]["eth9"][key] for key in ("mtu", "flags")] == [
        before["links"]["eth9"][key] for key in ("mtu", "flags")
    ]
    assert now["addresses"] == before["addresses"]
    assert host.plan(vlan(mtu=1400)) == []
    host.unplug(vlan())
    assert differences(before, host.ns.snapshot()) == []


def test_packets_of_guests_are_tagged(host, wire, guest, new_netns):
    """A machine on the wire that speaks VLAN 7 hears a guest; one that speaks VLAN 8 does not."""
    for vlan_id, address in ((7, "10.0.0.7/24"), (8, "10.0.0.8/24")):
        outside, device = new_netns(), f"wire.{vlan_id}"
        host.ns.ip("link", "add", "link", "wire", "name", device, "type", "vlan", "id", str(vlan_id))
        host.ns.ip("link", "set", device, "netns", outside.name)
        outside.ip("address", "add", address, "dev", device)
        outside.ip("link", "set", device, "up")
    host.plug(vlan())
    one = guest("br0", "tap1", "10.0.0.1/24")
    reached = [
        one.run(["ping", "-n", "-c", "1", "-W", "3", address], check=False).returncode == 0
        for address in ("10.0.0.7", "10.0.0.8")
    ]
    assert reached == [True, False]


def test_an_interface_that_is_down_is_brought_up_for_it(host, wire):
    """The kernel refuses to bring up a VLAN device on one that is down; afterwards it is down again."""
    host.ns.ip("link", "set", wire, "down")
    before = host.ns.snapshot()
    host.plug(vlan())
    assert "UP" in host.ns.link(wire)["flags"]
    host.unplug(vlan())
    assert differences(before, host.ns.snapshot()) == []


def test_vifs_of_a_network_share_the_device(host, wire):
    """It goes with the last of them."""
    before = host.ns.snapshot()
    host.plug(vlan(1))
    host.plug(vlan(2))
    both = host.ns.snapshot()
    host.unplug(vlan(1))
    assert differences(both, host.ns.snapshot()) == []
    host.unplug(vlan(2))
    assert differences(before, host.ns.snapshot()) == []


def test_the_number_on_another_interface_is_refused(host, wire):
    """The name has no room for the interface, so one number is for one interface of a host."""
    host.plug(vlan(1))
    host.ns.ip("link", "add", "eth8", "type", "veth", "peer", "name", "other")
    before = host.ns.snapshot()
    second = vifs.bridge("br1", number=2, should_provide_vlan=True, vlan=7, bridge_interface="eth8")
    with pytest.raises(exception.ForeignDevice) as caught:
        host.plug(second)
    assert str(caught.value) == (
        f"Device vlan7 is in the way of VIF {second.id}: its parent is eth9, wanted is eth8; unplug it first."
    )
    assert differences(before, host.ns.snapshot()) == []


def test_the_device_of_another_bridge_is_not_taken_from_it(host, wire):
    """Two networks that name one VLAN: the second is refused, and the first works on."""
    host.plug(vlan(1))
    before = host.ns.snapshot()
    second = vifs.bridge("br1", number=2, should_provide_vlan=True, vlan=7, bridge_interface="eth9")
    with pytest.raises(exception.ForeignDevice) as caught:
        host.plug(second)
    assert str(caught.value) == (
        f"Device vlan7 is in the way of VIF {second.id}: its bridge is br0, wanted is br1; unplug it first."
    )
    assert differences(before, host.ns.snapshot()) == []


def test_an_mtu_that_the_interface_cannot_carry_is_refused(host, wire):
    """The interface is not ours to change, since packets without a tag are none of our business."""
    before = host.ns.snapshot()
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(vlan(mtu=9000))
    assert str(caught.value) == (
        f"Could not create vlan vlan7 for VLAN 7 on eth9 (device vlan7, VIF {vifs.identity(1)}): Invalid argument"
    )
    assert differences(before, host.ns.snapshot()) == []


def test_a_vlan_device_of_somebody_else_is_used_and_given_back(host, wire):
    """With the addresses it had, as it was; os-vif 4.3.0 fails on every VLAN."""
    host.ns.ip("link", "add", "link", wire, "name", "vlan7", "type", "vlan", "id", "7")
    host.ns.ip("link", "set", "vlan7", "up")
    host.ns.ip("address", "add", "10.7.0.1/24", "dev", "vlan7")
    host.ns.ip("route", "add", "default", "via", "10.7.0.254")
    before = host.ns.snapshot()
    host.plug(vlan(mtu=1400))
    assert host.ns.link("vlan7")["master"] == "br0"
    assert "10.7.0.1" in str(host.ns.snapshot()["addresses"]["br0"])
    host.unplug(vlan())
    assert differences(before, host.ns.snapshot()) == []


def test_a_failure_at_any_step_leaves_the_host_as_it_was(host, wire):
    """Every step of the plan is refused once."""
    before = host.ns.snapshot()
    count = len(host.plan(vlan(mtu=1400)))
    for number in range(count):
        with host.failing_at(number), pytest.raises(exception.StepFailed):
            host.plug(vlan(mtu=1400))
        assert differences(before, host.ns.snapshot()) == []
    assert count >= 14


def test_a_macvtap_on_a_vlan_device(host, wire, tmp_path):
    """The device is made and shared between macvtaps, and goes with the last of them."""
    macvtaps = plugging.PlugHost(host.ns, tmp_path, plugging.configured(MacvtapPlugin))
    before = host.ns.snapshot()

    def vif(number):
        network = Network(bridge_interface="eth9", vlan=7)
        return vifs.direct(f"mvt{number}", number=number, vlan_name="eth9.7", network=network)

    macvtaps.plug(vif(1))
    macvtaps.plug(vif(2))
    assert [host.ns.link(name)["link"] for name in ("mvt1", "mvt2", "eth9.7")] == ["eth9.7", "eth9.7", "eth9"]
    assert host.ns.link("eth9.7")["linkinfo"]["info_data"]["id"] == 7
    macvtaps.unplug(vif(1))
    assert host.ns.link("eth9.7") is not None
    macvtaps.unplug(vif(2))
    assert differences(before, host.ns.snapshot()) == []


def test_the_option_names_the_interface(new_host, wire):
    """vlan_interface goes before the network's word."""
    host = new_host(vlan_interface="eth9")
    assert isinstance(host.plugin, LinuxBridgePlugin)
    host.plug(vifs.bridge("br0", should_provide_vlan=True, vlan=7, bridge_interface="eth8"))
    assert host.ns.link("vlan7")["link"] == "eth9"
