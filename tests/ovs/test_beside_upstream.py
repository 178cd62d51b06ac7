# SPDX-License-Identifier: Apache-2.0
"""What is left of a plug is what upstream os-vif 5.3.0 leaves for the same VIF and options, and our marks.

Upstream runs beside us, on the same switch, one after the other. vhost-user needs a switch with DPDK: see elsewhere.
"""

from __future__ import annotations

import pytest

from support import differences, ovs_vifs, snapshot
from support.ovs_vifs import TRUNK

MADE = {"create_port": True}
TAP = {"create_port": True, "create_tap": True}
ISOLATED = {"isolate_vif": True}

#: On the userspace datapath. The name of a case is what is special about it.
CASES = {
    "hybrid": (ovs_vifs.hybrid(), {}),
    "hybrid, isolated": (ovs_vifs.hybrid(), ISOLATED),
    "hybrid, per-port bridges": (ovs_vifs.hybrid(), {"per_port_bridge": True}),
    "hybrid, MTU of the options": (ovs_vifs.hybrid(mtu=None), {"network_device_mtu": 1400}),
    "hybrid, trunk": (ovs_vifs.hybrid(bridge=TRUNK), ISOLATED),
    "native": (ovs_vifs.native(), {}),
    "native, isolated": (ovs_vifs.native(), ISOLATED),
    "native, trunk": (ovs_vifs.native(bridge=TRUNK), {}),
    "port": (ovs_vifs.native(**MADE), {}),
    "port, isolated": (ovs_vifs.native(**MADE), ISOLATED),
    "port, per-port bridge": (ovs_vifs.native(**MADE), {"per_port_bridge": True}),
    "port, trunk": (ovs_vifs.native(**MADE, bridge=TRUNK), ISOLATED),
    "port, MAC in capitals": (ovs_vifs.native(**MADE, mac="52:54:00:AB:CD:EF"), {}),
    "tap": (ovs_vifs.native(**TAP), {}),
    "tap, isolated": (ovs_vifs.native(**TAP), ISOLATED),
    "tap, multi-queue": (ovs_vifs.native(**TAP, multiqueue=True), {}),
    "tap, per-port bridge": (ovs_vifs.native(**TAP), {"per_port_bridge": True}),
    "tap, trunk": (ovs_vifs.native(**TAP, bridge=TRUNK), {}),
}

#: On a datapath that counts as the kernel's: ports have QoS there.
KERNEL_CASES = {
    "hybrid": (ovs_vifs.hybrid(datapath="system"), {}),
    "hybrid, no datapath type": (ovs_vifs.hybrid(datapath=None), {}),
    "hybrid, another QoS": (ovs_vifs.hybrid(datapath=None), {"default_qos_type": "linux-htb"}),
    "native": (ovs_vifs.native(datapath="system"), {}),
    "port": (ovs_vifs.native(datapath="system", **MADE), {}),
    "port, no datapath type": (ovs_vifs.native(datapath=None, **MADE), {"default_qos_type": "linux-fq_codel"}),
    "port, per-port bridge": (ovs_vifs.native(datapath="system", **MADE), {"per_port_bridge": True}),
    "port, per-port bridge, no datapath type": (ovs_vifs.native(datapath=None, **MADE), {"per_port_bridge": True}),
    "port, trunk": (ovs_vifs.native(datapath="system", **MADE, bridge=TRUNK), {}),
    "tap, isolated": (ovs_vifs.native(datapath="system", **TAP), ISOLATED),
}

_OUR_GROUP = str(0x6F7669)


def look(switch):
    """The rows of the switch, and the devices of the kernel, but for MAC addresses that the kernel makes up."""
    switch.settle()
    links = snapshot.links(switch.ns.ip_json("link", "show"))
    for name, link in links.items():
        if not name.startswith("tap"):
            del link["address"]
    return {"rows": switch.look(), "links": links, "sysctls": switch.ns.inside(snapshot.sysctls)}


def without_marks(seen):
    """The same, less what os-vif marks as its own."""
    for table in ("Bridge", "Port", "Interface"):
        for row in seen["rows"][table].values():
            for mark in ("os-vif", "os-vif-journal"):
                row["external_ids"].pop(mark, None)
    for link in seen["links"].values():
        link.pop("ifalias", None)
        if link.get("group") == _OUR_GROUP:
            link["group"] = "default"
    return seen


def deliberate(seen):
    """Where we differ on purpose: the host does no IP on any device of a guest, and taps carry bare packets.

    Upstream keeps IP off the Linux bridge only, and IPv6 off taps. (A hypervisor that opens a tap says anyway whether
    packets bear a header.)
    """
    expected = []
    for name in seen["links"]:
        kind = name[:3]
        if kind in ("qvb", "qvo", "tap"):
            expected += [f"sysctls/ipv4/{name}/arp_announce: 0 -> 2", f"sysctls/ipv4/{name}/arp_ignore: 0 -> 1"]
        if kind in ("qvb", "qvo"):
            expected.append(f"sysctls/ipv6/{name}/disable_ipv6: 0 -> 1")
        if kind == "tap":
            expected.append(f"links/{name}/linkinfo/info_data/pi: True -> False")
    return sorted(expected)


def compare(switch, host, upstream, vif, options):
    """Plugs and unplugs by upstream, then by us; returns the differences while plugged, and after."""
    upstream.plug(vif, **options)
    theirs = look(switch)
    upstream.unplug(vif, **options)
    theirs_after = look(switch)
    switch.clean()
    host.plug(vif)
    ours = without_marks(look(switch))
    host.unplug(vif)
    ours_after = without_marks(look(switch))
    return sorted(set(differences(theirs, ours)) - set(deliberate(ours))), differences(theirs_after, ours_after)


@pytest.mark.parametrize(("vif", "options"), CASES.values(), ids=CASES)
def test_plug_and_unplug(switch, new_host, upstream, vif, options):
    """Rows, devices and their settings: no difference but those on purpose, and none after unplugging."""
    assert compare(switch, new_host(**options), upstream, vif, options) == ([], [])


@pytest.mark.parametrize(("vif", "options"), KERNEL_CASES.values(), ids=KERNEL_CASES)
def test_on_the_kernels_datapath(kernel_switch, host_on, upstream_on, vif, options):
    """The same, with the QoS row: its type, its external ids, and that it goes with the port."""
    host = host_on(kernel_switch, **options)
    assert compare(kernel_switch, host, upstream_on(kernel_switch), vif, options) == ([], [])


def test_isolation_of_a_port_with_a_bridge_of_its_own(switch, new_host, upstream):
    """Only the patch port is kept apart, as os-vif documents; upstream 5.3.0 has the tap's own port kept apart too.

    Nobody ever looks at that port, so nobody would take it out of the dead VLAN.
    """
    options = {"isolate_vif": True, "per_port_bridge": True}
    vif = ovs_vifs.native(**TAP)
    while_plugged, after = compare(switch, new_host(**options), upstream, vif, options)
    port = f"rows/Port/{ovs_vifs.tap()}"
    assert while_plugged == [f"{port}/tag: 4095 -> []", f"{port}/trunks: 4095 -> []", f"{port}/vlan_mode: trunk -> []"]
    assert after == []


def test_a_trunk_gets_no_bridges_per_port(switch, new_host, upstream):
    """The agent that serves trunks looks for the interface with `bridge_name`, on the trunk's bridge.

    Upstream 5.3.0 puts that interface behind patch ports, which have no `bridge_name`: the agent never finds it.
    """
    vif = ovs_vifs.native(**TAP, bridge=TRUNK)
    upstream.plug(vif, per_port_bridge=True)
    assert [row["external_ids"] for row in switch.rows("Interface").values() if "bridge_name" in row] == []
    switch.clean()
    new_host(per_port_bridge=True).plug(vif)
    rows = switch.rows("Interface")
    assert set(rows) == {TRUNK, ovs_vifs.tap()}
    assert rows[ovs_vifs.tap()]["external_ids"]["bridge_name"] == TRUNK
