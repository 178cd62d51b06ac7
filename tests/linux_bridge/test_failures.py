# SPDX-License-Identifier: Apache-2.0
"""Whatever fails while a VIF is plugged, the host is as it was before, and the error tells where."""

from __future__ import annotations

import pytest

from os_vif import exception
from support import differences, vifs
from support.plugging import FAULT


@pytest.fixture
def before(new_host, wire):
    """A host with an interface that has addresses, routes and rules; IPv6 rules are asked for."""
    host = new_host(use_ipv6=True)
    for address in ("10.1.0.5/24", "10.1.0.6/24"):
        host.ns.ip("address", "add", address, "dev", wire)
    host.ns.ip("route", "add", "default", "via", "10.1.0.1")
    for command in ("iptables", "ip6tables"):
        host.ns.run([command, "-A", "FORWARD", "-i", "other", "-j", "ACCEPT"])
    return host


def test_a_failure_at_any_step_leaves_the_host_as_it_was(before):
    """Every step of the longest plan is refused once; the error names step, device and VIF, and what refused it."""
    vif = vifs.bridge("br0", bridge_interface="eth9", mtu=1450)
    steps = before.ns.inside(lambda: before.engine.plan(before._requests((vif,)))).steps
    clean = before.ns.snapshot()
    for number, step in enumerate(steps):
        with before.failing_at(number), pytest.raises(exception.StepFailed) as caught:
            before.plug(vif)
        assert str(caught.value) == f"Could not {step.text} (device {step.device}, VIF {vif.id}): {FAULT}"
        assert differences(clean, before.ns.snapshot()) == [], step.text
    assert len(steps) > 15


def test_a_failure_of_the_second_vif_leaves_the_first_as_it_was(before):
    """The second brings a chain and an MTU of its own into what both share: that is undone, the rest stays."""
    before.plug(vifs.bridge("br0", number=1, filtering=True, bridge_interface="eth9"))
    plugged = before.ns.snapshot()
    second = vifs.bridge("br0", number=2, bridge_interface="eth9", mtu=1450)
    texts = before.plan(second)
    assert texts == [
        "write 2 forwarding rules into ipv4 chain os-vif-br0",
        "write 2 forwarding rules into ipv6 chain os-vif-br0",
    ]
    for number in range(len(texts)):
        with before.failing_at(number), pytest.raises(exception.StepFailed):
            before.plug(second)
        assert differences(plugged, before.ns.snapshot()) == [], texts[number]


def test_after_a_failure_the_same_call_succeeds(before):
    """Nothing is left in the way, neither on the host nor in the journal."""
    vif = vifs.bridge("br0", bridge_interface="eth9")
    clean = before.ns.snapshot()
    with before.failing_at(5), pytest.raises(exception.StepFailed):
        before.plug(vif)
    before.plug(vif)
    assert before.plan(vif) == []
    before.unplug(vif)
    assert differences(clean, before.ns.snapshot()) == []


@pytest.mark.parametrize(
    ("network", "error", "message"),
    [
        (
            {"bridge_interface": "eth8"},
            exception.DeviceMissing,
            "Device eth8 does not exist, and VIF {vif} needs it.",
        ),
        (
            {"bridge_interface": "eth8", "should_provide_vlan": True, "vlan": 7},
            exception.DeviceMissing,
            "Device eth8 does not exist, and VIF {vif} needs it.",
        ),
    ],
)
def test_a_missing_interface_is_an_error(before, network, error, message):
    """os-vif 4.3.0 left a bridge without a port behind, and said that all was well."""
    vif = vifs.bridge("br0", **network)
    clean = before.ns.snapshot()
    with pytest.raises(error) as caught:
        before.plug(vif)
    assert str(caught.value) == message.format(vif=vif.id)
    assert differences(clean, before.ns.snapshot()) == []


def test_an_interface_in_another_bridge_is_not_taken_from_it(before):
    """os-vif 4.3.0 moved it, and cut off whoever was on the other bridge."""
    before.ns.ip("link", "add", "theirs", "type", "bridge")
    before.ns.ip("link", "set", "eth9", "master", "theirs")
    vif = vifs.bridge("br0", bridge_interface="eth9")
    clean = before.ns.snapshot()
    with pytest.raises(exception.ForeignDevice) as caught:
        before.plug(vif)
    assert str(caught.value) == ("Interface eth9 cannot lead out of the bridge br0: eth9 is a port of theirs already.")
    assert differences(clean, before.ns.snapshot()) == []


def test_a_device_of_the_bridges_name_that_is_none_is_not_touched(before):
    """os-vif 4.3.0 took it for the bridge."""
    before.ns.ip("link", "add", "br0", "type", "veth", "peer", "name", "other")
    clean = before.ns.snapshot()
    vif = vifs.bridge("br0")
    with pytest.raises(exception.ForeignDevice) as caught:
        before.plug(vif)
    assert str(caught.value) == (f"Device br0 is in the way of VIF {vif.id}: it is a veth, not a bridge.")
    assert differences(clean, before.ns.snapshot()) == []
