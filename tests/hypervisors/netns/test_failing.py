# SPDX-License-Identifier: Apache-2.0
"""What cannot be done is told, and leaves both the host and the guest as they were."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.hypervisors.driver import Guest
from os_vif.hypervisors.netns import location
from os_vif.objects.vif import VIFGeneric, VIFOpenVSwitch, VIFPortProfileOpenVSwitch
from support import differences, vifs


def failed(reason):
    return f"netns did not attach interface {vifs.identity(1)} of guest: {reason}"


@pytest.mark.parametrize(
    ("vif", "reason"),
    [
        (lambda bridged: bridged(1, bridge="nobr"), "there is no bridge nobr to put tap1 into."),
        (lambda bridged: bridged(1, mtu=20), "Invalid argument."),
        (
            lambda bridged: bridged(1, subnets=[bridged.subnet(1, gateway="255.255.255.255")]),
            "Nexthop has invalid gateway.",
        ),
    ],
    ids=["no bridge", "an MTU the kernel refuses", "a gateway the kernel refuses"],
)
def test_a_failure_in_the_middle_leaves_nothing(host, new_netns, homeless, bridged, guest_in, vif, reason):
    """Early and late; a namespace that was made for it goes too."""
    inside = new_netns()
    before = host.ns.snapshot(), inside.snapshot()
    with pytest.raises(exception.HotPlugFailed) as caught:
        host.attach(vif(bridged), guest_in(inside))
    assert str(caught.value) == failed(reason)
    with pytest.raises(exception.HotPlugFailed):
        host.attach(vif(bridged), homeless)
    assert differences(before[0], host.ns.snapshot()) == []
    assert differences(before[1], inside.snapshot()) == []
    assert homeless.name not in host.ns.run(["ip", "netns", "list"]).stdout


def test_a_failure_to_mend_leaves_the_interface(host, new_netns, bridged, guest_in):
    """It was there before the call."""
    inside = new_netns()
    host.attach(bridged(1), guest_in(inside))
    with pytest.raises(exception.HotPlugFailed):
        host.attach(bridged(1, bridge="nobr"), guest_in(inside))
    assert inside.link("eth0") is not None


def test_a_device_of_somebody_else_is_not_touched(host, new_netns, bridged, guest_in, caplog):
    """Neither by attaching nor by detaching: a veth to elsewhere, and one of another guest."""
    inside = new_netns()
    host.ns.ip("link", "add", "tap1", "type", "veth", "peer", "name", "elsewhere")
    before = host.ns.snapshot()
    with pytest.raises(exception.HotPlugFailed) as caught:
        host.attach(bridged(1), guest_in(inside))
    assert str(caught.value) == failed(
        "there is a device tap1 already, and it does not lead to this guest's interface."
    )
    host.detach(bridged(1), guest_in(inside))
    assert differences(before, host.ns.snapshot()) == []
    assert [record.getMessage() for record in caplog.records] == [
        f"tap1 is left: it bears no mark, and does not lead into /run/netns/{inside.name}."
    ]


def test_a_device_without_its_mark_is_taken_from_a_guest_that_changed_its_address(host, new_netns, bridged, guest_in):
    """Whoever attached it was killed before he marked it: that it leads into the guest is enough."""
    inside = new_netns()
    host.attach(bridged(1), guest_in(inside))
    host.ns.ip("link", "set", "tap1", "alias", "")
    inside.ip("link", "set", "eth0", "address", "52:54:00:99:99:99")
    host.detach(bridged(1), guest_in(inside))
    assert host.ns.link("tap1") is None
    assert inside.link_names() == set()


def test_a_name_that_is_taken_in_the_guest_is_told(host, new_netns, bridged, guest_in):
    """The name that was asked for; nothing is made."""
    inside = new_netns()
    host.attach(bridged(2), guest_in(inside))
    with pytest.raises(exception.HotPlugFailed) as caught:
        host.attach(bridged(1), guest_in(inside, ifname="eth0"))
    assert str(caught.value) == failed(f"the namespace {inside.name} has an interface eth0 already.")
    assert host.ns.link("tap1") is None


def switched(**profile):
    return VIFOpenVSwitch(id=vifs.identity(1), vif_name="tap1", port_profile=VIFPortProfileOpenVSwitch(**profile))


@pytest.mark.parametrize(
    ("vif", "reason"),
    [
        (VIFGeneric(id=vifs.identity(1), vif_name="tap1"), "a namespace takes VIFBridge and VIFOpenVSwitch."),
        (switched(), "somebody has to make the port of Open vSwitch (create_port of the port profile)."),
        (
            switched(create_port=True, create_tap=True),
            "a tap is of no use to a namespace (create_tap of the port profile).",
        ),
        (
            VIFOpenVSwitch(id=vifs.identity(1), port_profile=VIFPortProfileOpenVSwitch(create_port=True)),
            "vif_name must be set, because it names the host's end of the veth.",
        ),
    ],
)
def test_what_a_namespace_cannot_take_is_refused(host, netns, guest_in, vif, reason):
    """By the name of what is wrong with it."""
    with pytest.raises(exception.CannotRender) as caught:
        host.driver.render(vif, guest_in(netns))
    name = type(vif).__name__
    assert str(caught.value) == f"netns cannot be given VIF {vifs.identity(1)} ({name}): {reason}"


@pytest.mark.parametrize(
    ("guest", "reason"),
    [
        ({"name": "../other"}, "no namespace can have the name '../other'; say which one it is (--endpoint)."),
        ({"name": ""}, "no namespace can have the name ''; say which one it is (--endpoint)."),
        ({"name": "a\nb"}, "no namespace can have the name 'a\\nb'; say which one it is (--endpoint)."),
        ({"name": "-x"}, "no namespace can have the name '-x'; say which one it is (--endpoint)."),
        ({"name": "ä" * 128}, f"no namespace can have the name '{'ä' * 59}; say which one it is (--endpoint)."),
        ({"options": {"bogus": "1"}}, "the option bogus is not known; there is ifname."),
        ({"options": {"ifname": "a/b"}}, "the option ifname: 'a/b' has a slash in it."),
    ],
)
def test_a_guest_that_no_namespace_can_be_is_refused_before_anything_is_made(host, bridged, guest, reason):
    """It could not be detached either, once its name is one that no file can have."""
    before = host.ns.snapshot()
    wanted = Guest(**({"name": "guest", "uuid": vifs.INSTANCE.uuid} | guest))
    for call in (host.driver.render, host.attach):
        with pytest.raises(exception.CannotRender) as caught:
            call(bridged(1), wanted)
        assert str(caught.value) == f"netns cannot be given VIF {vifs.identity(1)} (VIFBridge): {reason}"
    assert host.ns.snapshot() == before


@pytest.mark.parametrize("how", ["another MAC address", "another name", "another namespace", "the host's end renamed"])
def test_what_the_guest_has_made_of_its_interface_does_not_keep_it(host, new_netns, bridged, guest_in, how):
    """Detached is detached: its address is given to somebody else."""
    inside, elsewhere = new_netns(), new_netns()
    before = host.ns.link_names()
    host.attach(bridged(1), guest_in(inside))
    inside.ip("link", "set", "eth0", "down")
    if how == "another MAC address":
        inside.ip("link", "set", "eth0", "address", "52:54:00:66:66:66")
    elif how == "another name":
        inside.ip("link", "set", "eth0", "name", "mine")
    elif how == "another namespace":
        inside.ip("link", "set", "eth0", "netns", elsewhere.name)
    else:
        host.ns.ip("link", "set", "tap1", "down")
        host.ns.ip("link", "set", "tap1", "name", "mine")
    host.detach(bridged(1), guest_in(inside))
    assert host.ns.link_names() == before
    assert inside.link_names() | elsewhere.link_names() == set()


def test_a_namespace_that_is_gone_does_not_keep_the_interface(host, new_netns, bridged, homeless):
    """The guest has moved its interface to another one before."""
    elsewhere = new_netns()
    before = host.ns.link_names()
    host.attach(bridged(1), homeless)
    host.ns.ip("-n", homeless.name, "link", "set", "eth0", "netns", elsewhere.name)
    host.ns.run(["ip", "netns", "delete", homeless.name])
    host.detach(bridged(1), homeless)
    assert host.ns.link_names() == before
    assert elsewhere.link_names() == set()


def test_a_namespace_that_is_cut_off_while_it_is_made_has_no_name(host, homeless, bridged, monkeypatch):
    """So nobody takes it for somebody else's later, and keeps it for ever."""
    monkeypatch.setattr(location, "_furnish", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        host.attach(bridged(1), homeless)
    monkeypatch.undo()
    assert homeless.name not in host.ns.run(["ip", "netns", "list"]).stdout
    host.attach(bridged(1), homeless)
    host.detach(bridged(1), homeless)
    assert homeless.name not in host.ns.run(["ip", "netns", "list"]).stdout
