# SPDX-License-Identifier: Apache-2.0
"""Taps in the Linux bridge of their network, on a real kernel."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.objects.network import Network
from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from os_vif.plugins.tap import TapPlugin
from support import differences, vifs
from support.parts import require_tun


@pytest.fixture(autouse=True)
def tun():
    require_tun()


def tap(number, **network):
    wanted = {"bridge": "br0", "should_provide_bridge": True, **network}
    return vifs.generic(f"tap{number}", number=number, network=Network(**wanted))


def test_the_bridge_comes_with_the_first_tap_and_goes_with_the_last(host_for, netns):
    """With an uplink, whose address moves to the bridge and back."""
    netns.ip("link", "add", "eth9", "type", "veth", "peer", "name", "wire")
    netns.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/eth9/disable_ipv6"])
    netns.ip("address", "add", "10.1.0.5/24", "dev", "eth9")
    netns.ip("link", "set", "eth9", "up")
    before = netns.snapshot()
    host = host_for(TapPlugin)
    host.plug(tap(1, bridge_interface="eth9", mtu=1450))
    host.plug(tap(2, bridge_interface="eth9", mtu=1450))
    ports = {name: netns.link(name) for name in ("tap1", "tap2", "eth9")}
    assert {name: (link["master"], link["mtu"]) for name, link in ports.items()} == dict.fromkeys(ports, ("br0", 1450))
    assert netns.ip_json("addr", "show", "br0")[0]["addr_info"][0]["local"] == "10.1.0.5"
    host.unplug(tap(1, bridge_interface="eth9", mtu=1450))
    assert netns.link_names() == {"br0", "eth9", "wire", "tap2"}
    host.unplug(tap(2, bridge_interface="eth9", mtu=1450))
    assert differences(before, netns.snapshot()) == []


def test_vifs_of_both_plugins_share_a_bridge(host_for, netns):
    """Whoever leaves last takes it away; plugging the one again after the other writes nothing."""
    before = netns.snapshot()
    taps, bridges = host_for(TapPlugin), host_for(LinuxBridgePlugin)
    bridges.plug(vifs.bridge("br0", number=2))
    taps.plug(tap(1))
    with netns.monitor() as monitor:
        bridges.plug(vifs.bridge("br0", number=2))
        taps.plug(tap(1))
    assert monitor.events == []
    bridges.unplug(vifs.bridge("br0", number=2))
    assert netns.link("tap1")["master"] == "br0"
    taps.unplug(tap(1))
    assert differences(before, netns.snapshot()) == []


def test_a_bridge_that_is_not_to_be_made_stays(host_for, netns):
    """And is told to be missing where it is."""
    host = host_for(TapPlugin)
    vif = tap(1, should_provide_bridge=False)
    with pytest.raises(exception.DeviceMissing) as caught:
        host.plug(vif)
    assert str(caught.value) == f"Device br0 does not exist, and VIF {vif.id} needs it."
    netns.ip("link", "add", "br0", "type", "bridge")
    before = netns.snapshot()
    host.plug(vif)
    assert netns.link("tap1")["master"] == "br0"
    host.unplug(vif)
    assert set(netns.snapshot()["links"]) == set(before["links"])


def test_a_tap_taken_out_of_the_bridge_is_put_back(host_for, netns):
    """By plugging again."""
    host = host_for(TapPlugin)
    host.plug(tap(1))
    netns.ip("link", "set", "tap1", "nomaster")
    host.plug(tap(1))
    assert netns.link("tap1")["master"] == "br0"
