# SPDX-License-Identifier: Apache-2.0
"""What the Open vSwitch plugin states for which VIF, as tables. What upstream does is in test_beside_upstream."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFBridge, VIFDirect, VIFOpenVSwitch, VIFPortProfileOpenVSwitch
from os_vif.plugins.ovs import OvsPlugin
from support import ovs_vifs, vifs
from support.ovs_vifs import TRUNK
from support.plugging import configured
from support.resources import lines

ID = "6d3e0001-4c2d-4b8e-9d5e-3c1f0a9b8c7d"
SHORT = "6d3e0001-4c"
IDS = {
    "iface-id": ID,
    "iface-status": "active",
    "attached-mac": "52:54:00:00:00:01",
    "vm-uuid": vifs.INSTANCE.uuid,
}
DB = "database=unix:/db"
ISOLATED = "at_creation={'tag': 4095, 'vlan_mode': 'trunk', 'trunks': (4095,)} "
MADE = {"create_port": True}
TAP = {"create_port": True, "create_tap": True}


def ids(**more):
    return f"external_ids={IDS | more}"


def switch(name="br-int", datapath="netdev"):
    return f"OvsBridge {name} {DB} datapath_type={datapath} permanent shared"


TRUNK_BRIDGE = f"OvsBridge {TRUNK} {DB} datapath_type=netdev if_foreign=adopt shared"


def linux_bridge(mtu=1450):
    common = "promiscuous sysctls=no-host-ip"
    return [
        (
            f"Bridge qbr{SHORT} ageing_time=0 forward_delay=0 if_foreign=adopt mcast_snooping=False stp=False"
            " sysctls=no-host-ip"
        ),
        f"Veth qvb{SHORT} if_foreign=adopt master=qbr{SHORT} mtu={mtu} peer=qvo{SHORT} {common}",
        f"VethPeer qvo{SHORT} if_foreign=adopt mtu={mtu} peer=qvb{SHORT} {common}",
    ]


def tap(mtu=1450, more=""):
    return f"Tap tap{SHORT} if_foreign=adopt mac=52:54:00:00:00:01 mtu={mtu} {more}sysctls=no-host-ip"


def existing(mtu=1450):
    return f"ExistingLink tap{SHORT} mtu={mtu} required=False up=None"


def stated(vif, options=None):
    plugin = configured(OvsPlugin, ovsdb_connection="unix:/db", **(options or {}))
    return lines(plugin.desired_state(vif, vifs.INSTANCE))


CASES = {
    "hybrid": (ovs_vifs.hybrid(), {}, [*linux_bridge(), switch(), f"OvsPort qvo{SHORT} bridge=br-int {DB} {ids()}"]),
    "hybrid, the kernel's datapath, isolated": (
        ovs_vifs.hybrid(datapath=None, mtu=None),
        {"isolate_vif": True, "network_device_mtu": 9000, "default_qos_type": "linux-htb"},
        [
            *linux_bridge(9000),
            switch(datapath="system"),
            f"OvsPort qvo{SHORT} {ISOLATED}bridge=br-int {DB} {ids()} qos_type=linux-htb",
        ],
    ),
    "hybrid, trunk": (
        ovs_vifs.hybrid(bridge=TRUNK),
        {"isolate_vif": True},
        [*linux_bridge(), TRUNK_BRIDGE, f"OvsPort qvo{SHORT} bridge={TRUNK} {DB} {ids(bridge_name=TRUNK)}"],
    ),
    "native": (ovs_vifs.native(), {"isolate_vif": True, "per_port_bridge": True}, [switch()]),
    "native, trunk": (ovs_vifs.native(bridge=TRUNK), {}, [TRUNK_BRIDGE]),
    "port": (
        ovs_vifs.native(**MADE),
        {},
        [existing(), switch(), f"OvsPort tap{SHORT} bridge=br-int {DB} {ids()}"],
    ),
    "port, the kernel's datapath, isolated": (
        ovs_vifs.native(**MADE, datapath="system"),
        {"isolate_vif": True},
        [
            existing(),
            switch(datapath="system"),
            f"OvsPort tap{SHORT} {ISOLATED}bridge=br-int {DB} {ids()} qos_type=linux-noop",
        ],
    ),
    "tap": (
        ovs_vifs.native(**TAP),
        {},
        [tap(), switch(), f"OvsPort tap{SHORT} bridge=br-int {DB} {ids()}"],
    ),
    "tap, multi-queue": (
        ovs_vifs.native(**TAP, multiqueue=True, mtu=9000),
        {},
        [tap(9000, "multi_queue "), switch(), f"OvsPort tap{SHORT} bridge=br-int {DB} {ids()}"],
    ),
    "tap, per-port bridge, isolated": (
        ovs_vifs.native(**TAP),
        {"per_port_bridge": True, "isolate_vif": True},
        [
            tap(),
            switch(),
            f"OvsBridge pb6d3e0001-4c2 {DB} datapath_type=netdev if_foreign=adopt",
            f"OvsPort tap{SHORT} bridge=pb6d3e0001-4c2 {DB} if_foreign=adopt",
            f"OvsPort pbp{ID} bridge=pb6d3e0001-4c2 {DB} if_foreign=adopt options={{'peer': 'ibp{ID}'}} type=patch",
            (
                f"OvsPort ibp{ID} at_creation={{'tag': 4095}} bridge=br-int {DB} {ids()} options={{'peer': 'pbp{ID}'}}"
                " type=patch"
            ),
        ],
    ),
    "tap, trunk": (
        ovs_vifs.native(**TAP, bridge=TRUNK),
        {"per_port_bridge": True, "isolate_vif": True},
        [tap(), TRUNK_BRIDGE, f"OvsPort tap{SHORT} bridge={TRUNK} {DB} {ids(bridge_name=TRUNK)}"],
    ),
    "vhost-user, the hypervisor serves": (
        ovs_vifs.vhost_user("server"),
        {"per_port_bridge": True},
        [
            switch(),
            (
                f"OvsPort vhu{SHORT} bridge=br-int {DB} {ids()} mtu_request=1450"
                f" options={{'vhost-server-path': '/run/vhu/vhu{SHORT}'}} type=dpdkvhostuserclient"
            ),
        ],
    ),
    "vhost-user, the switch serves, isolated": (
        ovs_vifs.vhost_user("client", datapath=None, mtu=None),
        {"isolate_vif": True},
        [
            switch(),
            f"OvsPort vhu{SHORT} {ISOLATED}bridge=br-int {DB} {ids()} mtu_request=1500 type=dpdkvhostuser",
        ],
    ),
    "vhost-user, trunk": (
        ovs_vifs.vhost_user("client", bridge=TRUNK),
        {"isolate_vif": True},
        [
            TRUNK_BRIDGE,
            f"OvsPort vhu{SHORT} bridge={TRUNK} {DB} {ids(bridge_name=TRUNK)} mtu_request=1450 type=dpdkvhostuser",
        ],
    ),
}


@pytest.mark.parametrize(("vif", "options", "expected"), CASES.values(), ids=CASES)
def test_desired_state(vif, options, expected):
    """Bridges, ports and devices with every attribute that is not at its default, in the order of making."""
    assert stated(vif, options) == expected


def test_what_is_not_known_is_left_out():
    """An instance without a UUID and a VIF without a MAC give a port that says nothing of these."""
    vif = VIFOpenVSwitch(
        id=ID,
        plugin="ovs",
        vif_name="tap0",
        network=Network(bridge="br-int"),
        port_profile=VIFPortProfileOpenVSwitch(interface_id=ID, create_port=True, datapath_type="netdev"),
    )
    plugin = configured(OvsPlugin, ovsdb_connection="unix:/db")
    port = lines(plugin.desired_state(vif, None))[-1]
    assert port == f"OvsPort tap0 bridge=br-int {DB} external_ids={{'iface-id': '{ID}', 'iface-status': 'active'}}"


PROFILE = VIFPortProfileOpenVSwitch(interface_id=ID)
NETWORK = Network(bridge="br-int")


@pytest.mark.parametrize(
    ("vif", "words"),
    [
        (
            VIFBridge(id=ID, bridge_name="qbr", network=NETWORK),
            "port_profile: must be set, because Open vSwitch needs to know the interface id.",
        ),
        (
            VIFBridge(id=ID, bridge_name="qbr", port_profile=PROFILE),
            "network: must be set, because the plugin ovs goes by it.",
        ),
        (
            VIFBridge(id=ID, bridge_name="qbr", port_profile=PROFILE, network=Network()),
            "network.bridge: must be set, because it names the Open vSwitch bridge.",
        ),
        (
            VIFBridge(id=ID, port_profile=PROFILE, network=NETWORK),
            "bridge_name: must be set, because it names the Linux bridge.",
        ),
        (
            VIFBridge(bridge_name="qbr", port_profile=PROFILE, network=NETWORK),
            "id: must be set, because the veth pair is named after it.",
        ),
        (
            VIFBridge(id=ID, bridge_name="qbr", port_profile=VIFPortProfileOpenVSwitch(), network=NETWORK),
            "port_profile.interface_id: must be set, because the network side goes by it.",
        ),
        (
            VIFOpenVSwitch(
                id=ID, port_profile=VIFPortProfileOpenVSwitch(interface_id=ID, create_port=True), network=NETWORK
            ),
            "vif_name: must be set, because it names the port.",
        ),
        (VIFDirect(id=ID, port_profile=PROFILE, network=NETWORK), "vif: the plugin ovs does not take VIFDirect."),
    ],
)
def test_what_is_missing_is_named(vif, words):
    """Before anything is touched, the field at fault is told, and why it is needed."""
    with pytest.raises(exception.InvalidRequest) as caught:
        stated(vif)
    assert str(caught.value) == words
