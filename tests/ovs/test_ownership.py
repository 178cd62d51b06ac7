# SPDX-License-Identifier: Apache-2.0
"""What is ours is known by the record, by our mark, and by the interface id; nothing else is touched."""

from __future__ import annotations

import pytest

from os_vif import exception
from support import ovs_vifs

TAP = {"create_port": True, "create_tap": True}


def devices(switch):
    return switch.ns.link_names() - {"ovs-netdev", "br-int"}


def test_a_second_interface_with_the_same_id_is_refused(switch, host):
    """With two, OVN loses all packets of the port and reports it as up. Nothing is left of the attempt."""
    host.plug(ovs_vifs.native(**TAP))
    before, seen = switch.look(), switch.ns.snapshot()
    second = ovs_vifs.native(**TAP, number=2, interface_id=ovs_vifs.identity(1))
    with pytest.raises(exception.StepFailed) as caught:
        host.plug(second)
    assert str(caught.value) == (
        "Could not add port tap6d3e0002-4c to Open vSwitch bridge br-int (device tap6d3e0002-4c, VIF"
        " 6d3e0002-4c2d-4b8e-9d5e-3c1f0a9b8c7d): another interface has the iface-id"
        " 6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d already"
    )
    assert (switch.look(), switch.ns.snapshot()) == (before, seen)


def test_a_port_that_is_not_ours_is_left_alone(switch, host):
    """Refused by name, before anything is touched; and unplugging does not remove it either."""
    switch.vsctl("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev")
    switch.vsctl("add-port", "br-int", ovs_vifs.tap(), "--", "set", "Interface", ovs_vifs.tap(), "type=internal")
    before = switch.look()
    vif = ovs_vifs.native(create_port=True)
    with pytest.raises(exception.ForeignDevice) as caught:
        host.plug(vif)
    assert str(caught.value) == (
        "Device tap6d3e0001-4c is in the way of VIF 6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d:"
        " it is a port of Open vSwitch that os-vif did not make."
    )
    host.unplug(vif)
    assert switch.look() == before


def test_a_port_of_another_vif_is_left_alone(switch, host):
    """Two VIFs that name the same tap: the second one is told whose it is."""
    host.plug(ovs_vifs.native(create_port=True))
    second = ovs_vifs.native(create_port=True, number=2)
    second.vif_name = ovs_vifs.tap(1)
    with pytest.raises(exception.ForeignDevice) as caught:
        host.plug(second)
    assert str(caught.value) == (
        "Device tap6d3e0001-4c is in the way of VIF 6d3e0002-4c2d-4b8e-9d5e-3c1f0a9b8c7d:"
        " it belongs to 6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d."
    )


@pytest.mark.parametrize("before", [True, False], ids=["on, then off", "off, then on"])
def test_unplug_follows_the_record(switch, new_host, before):
    """The option that was changed since does not matter: what was made goes."""
    vif = ovs_vifs.native(**TAP)
    new_host(per_port_bridge=before).plug(vif)
    new_host(per_port_bridge=not before).unplug(vif)
    assert set(switch.rows("Bridge")) == {"br-int"}
    assert set(switch.rows("Port")) == {"br-int"}
    assert devices(switch) == set()


@pytest.mark.parametrize("before", [True, False], ids=["on, then off", "off, then on"])
def test_a_changed_option_is_followed_by_the_next_plug(switch, new_host, before):
    """What the VIF had before and does not need any more goes, in both directions; unplugging then leaves nothing."""
    vif = ovs_vifs.native(**TAP)
    new_host(per_port_bridge=not before).plug(vif)
    expected = switch.look()
    new_host(per_port_bridge=not before).unplug(vif)
    new_host(per_port_bridge=before).plug(vif)
    changed = new_host(per_port_bridge=not before)
    changed.plug(vif)
    assert switch.look() == expected
    assert changed.plan(vif) == []
    changed.unplug(vif)
    assert set(switch.rows("Port")) == {"br-int"}
    assert devices(switch) == set()


def test_unplug_of_what_is_not_plugged_does_nothing(switch, host):
    """Nova unplugs on every clean-up, plugged or not."""
    for vif in (ovs_vifs.hybrid(), ovs_vifs.native(**TAP), ovs_vifs.vhost_user("server")):
        with switch.watch() as watch, switch.ns.monitor(quiet=0) as monitor:
            host.unplug(vif)
            assert watch.changes() == []
        assert monitor.events == []


@pytest.mark.parametrize("kind", ["hybrid", "tap", "per-port bridge"])
def test_without_a_record_the_marks_tell(switch, new_host, tmp_path, kind):
    """The journal is lost: unplugging still removes all that bears our mark."""
    options = {"per_port_bridge": kind == "per-port bridge"}
    vif = ovs_vifs.hybrid() if kind == "hybrid" else ovs_vifs.native(**TAP)
    new_host(**options).plug(vif)
    for file in tmp_path.glob("journal.db*"):
        file.unlink()
    new_host(**options).unplug(vif)
    assert set(switch.rows("Port")) == {"br-int"}
    assert devices(switch) == set()


def test_a_native_vif_that_was_hybrid_is_cleaned_up(switch, host, upstream):
    """Nova moves an instance to another firewall driver: the VIF is unplugged as native and was plugged as hybrid."""
    upstream.plug(ovs_vifs.hybrid())
    host.unplug(ovs_vifs.native())
    assert set(switch.rows("Port")) == {"br-int"}
    assert devices(switch) == set()


@pytest.mark.parametrize("again", ["by us", "by upstream"])
def test_a_native_vif_that_was_hybrid_and_is_plugged_again(switch, host, upstream, again):
    """Plugged by an earlier os-vif as hybrid, and now as native: unplugging takes away both, as it did then."""
    upstream.plug(ovs_vifs.hybrid())
    vif = ovs_vifs.native()
    (host if again == "by us" else upstream).plug(vif)
    other = ovs_vifs.native(**TAP, number=2)
    host.plug(other)
    host.unplug(vif)
    assert set(switch.rows("Port")) == {"br-int", ovs_vifs.tap(2)}
    assert devices(switch) == {ovs_vifs.tap(2)}
    assert host.plan(other) == []
    assert [record.vif_id for record in host.engine.journal.records()] == [other.id]


KINDS = {
    "hybrid": (ovs_vifs.hybrid(), {}),
    "tap": (ovs_vifs.native(**TAP), {}),
    "port": (ovs_vifs.native(create_port=True), {}),
    "per-port bridge": (ovs_vifs.native(**TAP), {"per_port_bridge": True}),
    "trunk": (ovs_vifs.native(**TAP, bridge=ovs_vifs.TRUNK), {}),
}


@pytest.mark.parametrize(("vif", "options"), KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("again", [False, True], ids=["unplugged", "plugged again and unplugged"])
def test_what_upstream_plugged_is_unplugged(switch, new_host, upstream, vif, options, again):
    """After an upgrade a VIF goes, whether or not we have plugged it again meanwhile."""
    upstream.plug(vif, **options)
    host = new_host(**options)
    if again:
        host.plug(vif)
        assert host.plan(vif) == []
    host.unplug(vif)
    assert set(switch.rows("Port")) <= {"br-int"}
    assert devices(switch) == set()


def test_a_device_of_another_kind_is_not_adopted(switch, host):
    """A device that has the name of what we would have made, and is something else, stays."""
    switch.ns.ip("link", "add", ovs_vifs.tap(), "type", "bridge")
    host.unplug(ovs_vifs.native(**TAP))
    assert devices(switch) == {ovs_vifs.tap()}


def test_a_trunk_bridge_goes_with_its_last_port(switch, host):
    """It is the trunk's own; while somebody else has a port on it, it stays."""
    parent = ovs_vifs.native(**TAP, bridge=ovs_vifs.TRUNK)
    other = ovs_vifs.native(**TAP, bridge=ovs_vifs.TRUNK, number=2)
    host.plug(parent, other)
    host.unplug(parent)
    assert set(switch.rows("Port")) == {ovs_vifs.TRUNK, ovs_vifs.tap(2)}
    switch.vsctl("add-port", ovs_vifs.TRUNK, "spt-sub", "--", "set", "Interface", "spt-sub", "type=internal")
    host.unplug(other)
    assert set(switch.rows("Port")) == {ovs_vifs.TRUNK, "spt-sub"}


def test_the_integration_bridge_stays(switch, host):
    """Made by os-vif where it was missing, it is not removed: agents hang their own things on it."""
    host.plug(ovs_vifs.native(**TAP))
    host.unplug(ovs_vifs.native(**TAP))
    row = switch.rows("Bridge")["br-int"]
    assert (row["datapath_type"], row["external_ids"]) == ("netdev", {"os-vif": "shared"})
