# SPDX-License-Identifier: Apache-2.0
"""Macvtaps as the macvtap plugin leaves them on a real kernel."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.objects.network import Network
from os_vif.plugins.macvtap import MacvtapPlugin
from support import differences, vifs


@pytest.fixture
def host(host_for):
    """A host with an interface eth9 to put macvtaps on."""
    host = host_for(MacvtapPlugin)
    host.ns.ip("link", "add", "eth9", "address", "02:00:00:00:00:09", "type", "veth", "peer", "name", "wire")
    for name in ("eth9", "wire"):
        host.ns.run(["sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{name}/disable_ipv6"])
        host.ns.ip("link", "set", name, "up")
    return host


def on_eth9(mode="bridge", **fields):
    return vifs.direct(mode=mode, network=Network(bridge_interface="eth9", **fields))


@pytest.mark.parametrize(("mode", "kernel"), [("vepa", "vepa"), ("bridge", "bridge"), ("passthrough", "passthru")])
def test_each_mode(host, mode, kernel):
    """Up, with the guest's address and the network's MTU, without host IP; unplugged, nothing is left of it.

    In passthru the kernel gives the guest's address to the device below as well; that is put back.
    """
    before = host.ns.snapshot()
    vif = on_eth9(mode, mtu=1450)
    host.plug(vif)
    link = host.ns.link("mvt1")
    assert (link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["mode"]) == ("macvtap", kernel)
    assert (link["link"], link["address"], link["mtu"]) == ("eth9", "52:54:00:00:00:01", 1450)
    assert "UP" in link["flags"]
    assert host.ns.snapshot()["sysctls"]["ipv6/mvt1"]["disable_ipv6"] == "1"
    assert host.ns.ip_json("-6", "address", "show", "dev", "mvt1") in ([], [{}])
    assert host.plan(vif) == []
    host.unplug(vif)
    assert differences(before, host.ns.snapshot()) == []


def test_another_mode_is_refused(host):
    """What a macvtap is cannot be changed under a running guest."""
    host.plug(on_eth9("bridge"))
    with pytest.raises(exception.ForeignDevice) as caught:
        host.plug(on_eth9("vepa"))
    assert str(caught.value) == (
        f"Device mvt1 is in the way of VIF {vifs.identity(1)}: its mode is bridge, wanted is vepa; unplug it first."
    )


def test_a_device_below_that_is_down_is_brought_up_and_down_again(host):
    """As it was, once the last macvtap on it has gone."""
    host.ns.ip("link", "set", "eth9", "down")
    before = host.ns.snapshot()
    host.plug(on_eth9())
    assert "UP" in host.ns.link("eth9")["flags"]
    host.unplug(on_eth9())
    assert differences(before, host.ns.snapshot()) == []


def test_an_mtu_that_the_device_below_cannot_carry_is_refused(host):
    """The kernel says no, in its own poor words, and nothing is left."""
    before = host.ns.snapshot()
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(on_eth9(mtu=9000))
    assert str(caught.value) == (
        f"Could not create macvtap mvt1 in mode bridge on eth9 (device mvt1, VIF {vifs.identity(1)}): Invalid argument"
    )
    assert differences(before, host.ns.snapshot()) == []


def test_a_missing_device_below_is_told_of(host):
    """By name, and by PCI address; before anything is touched."""
    before = host.ns.snapshot()
    vif = vifs.direct(network=Network(bridge_interface="eth8"))
    with pytest.raises(exception.DeviceMissing, match=f"Device eth8 does not exist, and VIF {vif.id} needs it."):
        host.plug(vif)
    vif = vifs.direct(dev_address="ffff:ff:1f.7")
    with pytest.raises(exception.DeviceMissing) as caught:
        host.plug(vif)
    assert str(caught.value) == f"VIF {vif.id}: there is no network device at PCI address ffff:ff:1f.7."
    assert differences(before, host.ns.snapshot()) == []


def test_a_failure_at_any_step_leaves_no_macvtap(host):
    """Every step of the longest plan, which is passthrough's, is refused once."""
    before = host.ns.snapshot()
    vif = on_eth9("passthrough")
    count = len(host.plan(vif))
    for number in range(count):
        with host.failing_at(number), pytest.raises(exception.StepFailed):
            host.plug(vif)
        assert differences(before, host.ns.snapshot()) == []
    assert count >= 7
