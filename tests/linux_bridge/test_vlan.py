# SPDX-License-Identifier: Apache-2.0
"""VLANs on this machine's kernel: refused where it lacks 8021q; VLAN devices that others have made are used.

Those that we make ourselves are tested where the kernel has the module: see test_vlan_devices.py.
"""

from __future__ import annotations

import pytest

from os_vif import exception
from support import differences, vifs


def vlan(**network):
    return vifs.bridge("br0", bridge_interface="eth9", should_provide_vlan=True, vlan=7, **network)


def test_a_kernel_without_8021q_is_told_of(host, wire, without_8021q):
    """The error has the kernel's words and names step, device and VIF; the host is as it was, bridge and all."""
    host.ns.ip("address", "add", "10.1.0.5/24", "dev", wire)
    before = host.ns.snapshot()
    vif = vlan()
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(vif)
    assert str(caught.value) == (
        f"Could not create vlan vlan7 for VLAN 7 on eth9 (device vlan7, VIF {vif.id}): Unknown device type"
    )
    assert {key: caught.value.kwargs[key] for key in ("step", "device", "vif_id", "errno")} == {
        "step": "create vlan vlan7 for VLAN 7 on eth9",
        "device": "vlan7",
        "vif_id": vif.id,
        "errno": 95,
    }
    assert differences(before, host.ns.snapshot()) == []


def test_a_device_of_the_name_that_is_no_vlan_is_not_taken_for_one(host, wire):
    """os-vif 4.3.0 goes by the name alone."""
    host.ns.ip("link", "add", "vlan7", "type", "veth", "peer", "name", "other")
    before = host.ns.snapshot()
    vif = vlan()
    with pytest.raises(exception.ForeignDevice) as caught:
        host.plug(vif)
    assert str(caught.value) == f"Device vlan7 is in the way of VIF {vif.id}: it is a veth, not a vlan."
    assert differences(before, host.ns.snapshot()) == []


def test_the_plan_is_shown_all_the_same(host, wire):
    """A plan tells what would be done; whether the kernel can do it is only known by trying."""
    assert host.plan(vlan(mtu=1400)) == [
        "create bridge br0",
        "mark br0 as os-vif",
        "set sysctl ipv6/disable_ipv6 of br0 to 1",
        "set sysctl ipv4/arp_ignore of br0 to 1",
        "set sysctl ipv4/arp_announce of br0 to 2",
        "bring br0 up",
        "create vlan vlan7 for VLAN 7 on eth9",
        "mark vlan7 as os-vif",
        "set sysctl ipv6/disable_ipv6 of vlan7 to 1",
        "set sysctl ipv4/arp_ignore of vlan7 to 1",
        "set sysctl ipv4/arp_announce of vlan7 to 2",
        "add vlan7 to bridge br0",
        "bring vlan7 up",
        "write 2 forwarding rules into ipv4 chain os-vif-br0",
        "write 2 forwarding rules into ipv6 chain os-vif-br0",
        "set mtu of br0 to 1400",
    ]
