# SPDX-License-Identifier: Apache-2.0
"""Plugging what is plugged writes nothing, neither to the database nor to the kernel; what differs is put right."""

from __future__ import annotations

import pytest

from support import ovs_vifs

TAP = {"create_port": True, "create_tap": True}

KINDS = {
    "hybrid": (ovs_vifs.hybrid(), {}),
    "native": (ovs_vifs.native(), {}),
    "port": (ovs_vifs.native(create_port=True), {}),
    "tap": (ovs_vifs.native(**TAP, multiqueue=True), {}),
    "per-port bridge": (ovs_vifs.native(**TAP), {"per_port_bridge": True}),
    "trunk": (ovs_vifs.hybrid(bridge=ovs_vifs.TRUNK), {}),
}


@pytest.mark.parametrize(("vif", "options"), KINDS.values(), ids=KINDS)
def test_plugging_again_writes_nothing(switch, new_host, vif, options):
    """Not one row and not one device changes, by this process or by another that finds the journal."""
    host = new_host(**options)
    host.plug(vif)
    other = new_host(**options)
    switch.settle()
    with switch.watch() as watch, switch.ns.monitor() as monitor:
        assert host.plan(vif) == []
        host.plug(vif)
        other.plug(vif)
        assert watch.changes() == []
    assert monitor.events == []


@pytest.mark.parametrize("vif", [ovs_vifs.hybrid(), ovs_vifs.native(**TAP)], ids=["hybrid", "tap"])
def test_isolation_is_for_new_ports_only(switch, new_host, vif):
    """A port that the agent has given its VLAN keeps it when the VIF is plugged again (Launchpad bug 2023300)."""
    host = new_host(isolate_vif=True)
    host.plug(vif)
    port = next(name for name in switch.rows("Port") if name != "br-int")
    row = switch.rows("Port")[port]
    assert (row["tag"], row["vlan_mode"], row["trunks"]) == (4095, "trunk", 4095)
    switch.vsctl("set", "Port", port, "tag=7", "--", "clear", "Port", port, "vlan_mode", "trunks")
    with switch.watch() as watch:
        host.plug(vif)
        assert watch.changes() == []
    assert switch.rows("Port")[port]["tag"] == 7


def test_qos_is_for_new_ports_only(kernel_switch, host_on):
    """QoS that the agent has set or taken away stays as it is; unplugging removes the row that we made."""
    host = host_on(kernel_switch)
    vif = ovs_vifs.native(create_port=True, datapath="system")
    host.plug(vif)
    [row] = kernel_switch.rows("QoS").values()
    assert row["type"] == "linux-noop"
    kernel_switch.vsctl("clear", "Port", ovs_vifs.tap(), "qos")
    with kernel_switch.watch() as watch:
        host.plug(vif)
        assert watch.changes() == []
    host.unplug(vif)
    assert kernel_switch.rows("QoS") == {}
    assert set(kernel_switch.rows("Port")) == {"br-int"}


def test_the_qos_of_somebody_else_stays(kernel_switch, host_on):
    """Neutron's agent gives the port a QoS row of its own: unplugging leaves that to the agent."""
    host = host_on(kernel_switch)
    vif = ovs_vifs.native(create_port=True, datapath="system")
    host.plug(vif)
    kernel_switch.vsctl(
        "--id=@q", "create", "QoS", "type=linux-htb", "external_ids:id=agent", "--",
        "set", "Port", ovs_vifs.tap(), "qos=@q",
    )  # fmt: skip
    host.unplug(vif)
    assert [row["external_ids"] for row in kernel_switch.rows("QoS").values()] == [{"id": "agent"}]


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        (
            ["clear", "Interface", "tap6d3e0001-4c", "external_ids"],
            [
                (
                    "set attached-mac=52:54:00:00:00:01, iface-id=6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d,"
                    " iface-status=active, vm-uuid=5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d in external_ids of port"
                    " tap6d3e0001-4c"
                )
            ],
        ),
        (
            ["set", "Interface", "tap6d3e0001-4c", "external_ids:iface-status=inactive"],
            ["set iface-status=active in external_ids of port tap6d3e0001-4c"],
        ),
        (
            ["remove", "Port", "tap6d3e0001-4c", "external_ids", "os-vif"],
            ["set os-vif=6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d in external_ids of port tap6d3e0001-4c"],
        ),
        (["del-port", "tap6d3e0001-4c"], ["add port tap6d3e0001-4c to Open vSwitch bridge br-int"]),
        (
            ["del-br", "br-int"],
            [
                "create Open vSwitch bridge br-int on datapath netdev",
                "add port tap6d3e0001-4c to Open vSwitch bridge br-int",
            ],
        ),
    ],
)
def test_what_was_changed_behind_our_back_is_put_right(switch, host, change, steps):
    """The plan holds just what is missing; after it the rows are as they were, but for foreign keys of maps."""
    vif = ovs_vifs.native(**TAP)
    host.plug(vif)
    before = switch.look()
    switch.vsctl(*change)
    assert host.plan(vif) == steps
    host.plug(vif)
    assert switch.look() == before


def test_keys_of_others_stay(switch, host):
    """ovn-controller and the agent write into external_ids too."""
    vif = ovs_vifs.native(**TAP)
    host.plug(vif)
    switch.vsctl("set", "Interface", ovs_vifs.tap(), "external_ids:ovn-installed=true", "external_ids:vm-uuid=x")
    host.plug(vif)
    ids = switch.rows("Interface")[ovs_vifs.tap()]["external_ids"]
    assert (ids["ovn-installed"], ids["vm-uuid"]) == ("true", "5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d")


@pytest.mark.parametrize(
    ("make", "devices"),
    [
        (ovs_vifs.hybrid, ["qvb6d3e0001-4c", "qvo6d3e0001-4c", "qbr6d3e0001-4c"]),
        (lambda **rest: ovs_vifs.native(**TAP, **rest), ["tap6d3e0001-4c"]),
    ],
    ids=["hybrid", "tap"],
)
def test_a_new_mtu_is_set_on_the_devices(switch, host, make, devices):
    """The network's MTU has changed: plugging again sets it, up and down, and touches no row."""
    host.plug(make(mtu=1450))
    for mtu in (1400, 1480):
        with switch.watch() as watch:
            host.plug(make(mtu=mtu))
            assert watch.changes() == []
        assert [switch.ns.link(name)["mtu"] for name in devices] == [mtu] * len(devices)


def test_a_port_goes_to_its_new_bridge_at_once(switch, host):
    """Neutron has moved the port: in one transaction it leaves one bridge and joins the other, with all its rows."""
    host.plug(ovs_vifs.native(**TAP))
    row = switch.rows("Port")[ovs_vifs.tap()]["_uuid"]
    moved = ovs_vifs.native(**TAP, bridge="br-new")
    assert host.plan(moved) == [
        "create Open vSwitch bridge br-new on datapath netdev",
        "move port tap6d3e0001-4c from Open vSwitch bridge br-int to br-new",
    ]
    with switch.watch() as watch:
        host.plug(moved)
        assert len(watch.changes()) == 1
    look = switch.look()["Bridge"]
    assert (look["br-int"]["ports"], look["br-new"]["ports"]) == (["br-int"], ["br-new", ovs_vifs.tap()])
    assert switch.rows("Port")[ovs_vifs.tap()]["_uuid"] == row
