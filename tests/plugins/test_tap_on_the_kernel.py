# SPDX-License-Identifier: Apache-2.0
"""Taps as the tap plugin leaves them on a real kernel."""

from __future__ import annotations

import fcntl
import os
import struct

import pytest

from os_vif import exception
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFPortProfileFPTap, VIFPortProfileOpenVSwitch
from os_vif.plugins.tap import TapPlugin
from support import differences, vifs
from support.parts import require_tun

TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE = 0x400454CA, 0x0002, 0x1000, 0x0100


@pytest.fixture(autouse=True)
def tun():
    require_tun()


def opened(namespace, name, flags=0):
    """Opens a tap as a hypervisor does, and returns the file."""

    def open_it():
        file = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI | flags))
        return file

    return namespace.inside(open_it)


def test_a_tap_is_made_for_a_hypervisor_to_open(host_for):
    """Persistent, up, with the network's MTU, without host IP; the guest's address is not on it."""
    host = host_for(TapPlugin)
    host.plug(vifs.generic(network=Network(mtu=1450)))
    link = host.ns.link("tap1")
    assert (link["mtu"], link["linkinfo"]["info_data"]["persist"]) == (1450, True)
    assert "UP" in link["flags"]
    assert link["address"] != "52:54:00:00:00:01"
    sysctls = host.ns.snapshot()["sysctls"]
    found = (
        sysctls["ipv6/tap1"]["disable_ipv6"],
        sysctls["ipv4/tap1"]["arp_ignore"],
        sysctls["ipv4/tap1"]["arp_announce"],
    )
    assert found == ("1", "1", "2")
    os.close(opened(host.ns, "tap1"))
    assert host.ns.link("tap1") is not None


def test_unplugging_leaves_nothing(host_for):
    """Not even while a hypervisor has it open."""
    host = host_for(TapPlugin)
    before = host.ns.snapshot()
    host.plug(vifs.generic())
    file = opened(host.ns, "tap1")
    try:
        host.unplug(vifs.generic())
        assert differences(before, host.ns.snapshot()) == []
    finally:
        os.close(file)


def test_several_queues_are_there_when_asked_for(host_for):
    """Launchpad bug 2159024: the flag was lost on the way. Two queues are opened at once to prove it."""
    host = host_for(TapPlugin)
    host.plug(vifs.generic(port_profile=VIFPortProfileOpenVSwitch(multiqueue=True)))
    assert host.ns.link("tap1")["linkinfo"]["info_data"]["multi_queue"] is True
    files = [opened(host.ns, "tap1", IFF_MULTI_QUEUE) for _ in range(2)]
    assert host.ns.link("tap1")["linkinfo"]["info_data"]["numqueues"] == 2
    for file in files:
        os.close(file)


def test_the_profiles_address_is_the_taps(host_for):
    """Only where the network side says what the host's end is to be called."""
    host = host_for(TapPlugin)
    host.plug(vifs.generic(port_profile=VIFPortProfileFPTap(mac_address="FE:16:3E:00:00:01")))
    assert host.ns.link("tap1")["address"] == "fe:16:3e:00:00:01"


def test_owner_and_group_are_those_of_the_options(host_for):
    """So that a hypervisor need not be root. Nobody has these ids: `ip` would show their names instead."""
    host = host_for(TapPlugin, owner=1964055, group=1964108)
    host.plug(vifs.generic())
    data = host.ns.run(["ip", "-n", host.ns.name, "-d", "link", "show", "tap1"]).stdout
    assert "user 1964055" in data
    assert "group 1964108" in data


def test_plugging_again_writes_nothing(host_for):
    """Nor does it wake a guest that uses the tap."""
    host = host_for(TapPlugin)
    vif = vifs.generic(network=Network(mtu=1450))
    host.plug(vif)
    with host.ns.monitor() as monitor:
        host.plug(vif)
    assert monitor.events == []


def test_a_tap_of_somebody_else_is_not_touched(host_for):
    """It may be a guest's: nothing says whose it is."""
    host = host_for(TapPlugin)
    host.ns.ip("tuntap", "add", "tap1", "mode", "tap")
    before = host.ns.snapshot()
    vif = vifs.generic()
    with pytest.raises(exception.ForeignDevice) as caught:
        host.plug(vif)
    assert str(caught.value) == (
        f"Device tap1 is in the way of VIF {vif.id}: it exists already, and os-vif did not make it."
    )
    assert differences(before, host.ns.snapshot()) == []


def test_a_failure_at_any_step_leaves_no_tap(host_for):
    """Every step is refused once."""
    host = host_for(TapPlugin)
    before = host.ns.snapshot()
    count = len(host.plan(vifs.generic()))
    for number in range(count):
        with host.failing_at(number), pytest.raises(exception.StepFailed):
            host.plug(vifs.generic())
        assert differences(before, host.ns.snapshot()) == []
    assert count >= 6
