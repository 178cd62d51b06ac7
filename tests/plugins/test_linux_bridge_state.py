# SPDX-License-Identifier: Apache-2.0
"""What the Linux bridge plugin states for which networks, as tables.

Facts about os-vif 4.3.0 were seen by running it in a network namespace and looking at what it had left there.
"""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFBridge
from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from support import vifs
from support.resources import lines

BRIDGE = "Bridge br0 if_foreign=share shared sysctls=no-host-ip"


def flat(interface, mtu=1500):
    return [
        f"Bridge br0 if_foreign=share mtu={mtu} shared sysctls=no-host-ip uplink={interface}",
        f"AddressesMoved shared source={interface} target=br0",
        f"ExistingLink {interface} master=br0 mtu={mtu} shared",
    ]


def vlan(parent, mtu=1500):
    return [
        f"Bridge br0 if_foreign=share mtu={mtu} shared sysctls=no-host-ip uplink=vlan7; {parent}",
        f"ExistingLink {parent} shared",
        "AddressesMoved shared source=vlan7 target=br0",
        f"Vlan vlan7 if_foreign=share master=br0 mtu={mtu} parent={parent} shared sysctls=no-host-ip vlan_id=7",
    ]


def rules(*texts, families=("ipv4", "ipv6"), **more):
    extra = "".join(f" {key}={value}" for key, value in more.items())
    return [
        f"ForwardingRules{extra} chain=os-vif-br0 family={family} rules={'; '.join(texts)} shared"
        for family in families
    ]


@pytest.mark.parametrize(
    ("network", "options", "expected"),
    [
        # no interface: a bridge that only guests are on
        ({}, {}, [BRIDGE]),
        ({"mtu": 1450}, {}, ["Bridge br0 if_foreign=share mtu=1450 shared sysctls=no-host-ip"]),
        ({}, {"network_device_mtu": 9000}, [BRIDGE]),
        # an interface
        ({"bridge_interface": "eth9"}, {}, flat("eth9")),
        ({"bridge_interface": "eth9", "mtu": 1450}, {}, flat("eth9", 1450)),
        ({"bridge_interface": "eth9"}, {"network_device_mtu": 9000}, flat("eth9", 9000)),
        ({"bridge_interface": "eth9", "mtu": 1450}, {"network_device_mtu": 9000}, flat("eth9", 1450)),
        ({"bridge_interface": "eth9"}, {"flat_interface": "eth8"}, flat("eth8")),
        ({"bridge_interface": None}, {"flat_interface": "eth8"}, flat("eth8")),
        ({"bridge_interface": "eth9"}, {"vlan_interface": "eth8"}, flat("eth9")),
        # a VLAN
        ({"should_provide_vlan": True, "vlan": 7, "bridge_interface": "eth9"}, {}, vlan("eth9")),
        ({"should_provide_vlan": True, "vlan": 7, "bridge_interface": "eth9", "mtu": 1450}, {}, vlan("eth9", 1450)),
        ({"should_provide_vlan": True, "vlan": 7}, {"vlan_interface": "eth8"}, vlan("eth8")),
        (
            {"should_provide_vlan": True, "vlan": 7, "bridge_interface": "eth9"},
            {"vlan_interface": "eth8", "flat_interface": "eth7"},
            vlan("eth8"),
        ),
        ({"should_provide_vlan": False, "vlan": 7, "bridge_interface": "eth9"}, {}, flat("eth9")),
        # nothing to do
        ({"should_provide_bridge": False, "bridge_interface": "eth9"}, {}, []),
        ({"multi_host": True, "bridge_interface": "eth9"}, {}, []),
    ],
)
def test_devices(configured, network, options, expected):
    """Interface and MTU come from the network and from the options, as in os-vif 4.3.0.

    There the MTU of a bridge that no interface joins is left alone. Here it is set when the network states one:
    the host routes for its guests, and must know.
    """
    plugin = configured(LinuxBridgePlugin, **options)
    assert lines(plugin.desired_state(vifs.bridge("br0", filtering=True, **network), vifs.INSTANCE)) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, rules("-i br0 -j ACCEPT", "-o br0 -j ACCEPT")),
        (
            {"forward_bridge_interface": ["eth5", "eth6"]},
            rules(
                "-i br0 -o eth5 -j ACCEPT",
                "-i eth5 -o br0 -j ACCEPT",
                "-i br0 -o eth6 -j ACCEPT",
                "-i eth6 -o br0 -j ACCEPT",
                "-i br0 -o br0 -j ACCEPT",
                "-i br0 -j DROP",
                "-o br0 -j DROP",
            ),
        ),
        ({"forward_bridge_interface": ["eth5", "all"]}, rules("-i br0 -j ACCEPT", "-o br0 -j ACCEPT")),
        (
            {"forward_bridge_interface": [""], "iptables_drop_action": "REJECT"},
            rules("-i br0 -o br0 -j ACCEPT", "-i br0 -j REJECT", "-o br0 -j REJECT"),
        ),
        (
            {"forward_bridge_interface": ["br0"]},
            rules("-i br0 -o br0 -j ACCEPT", "-i br0 -j DROP", "-o br0 -j DROP"),
        ),
        ({"use_ipv6": False}, rules("-i br0 -j ACCEPT", "-o br0 -j ACCEPT", families=["ipv4"])),
        (
            {"iptables_top_regex": "-i lo"},
            rules("-i br0 -j ACCEPT", "-o br0 -j ACCEPT", below="-i lo"),
        ),
    ],
)
def test_forwarding_rules(configured, options, expected):
    """The rules and their order are those of os-vif 4.3.0, less those that can never match.

    There, and only with `use_ipv6`, the IPv6 chains are made and stay empty; here they hold the same rules.
    """
    plugin = configured(LinuxBridgePlugin, **options)
    stated = lines(plugin.desired_state(vifs.bridge("br0"), vifs.INSTANCE))
    assert stated == [BRIDGE, *expected]


def test_the_interface_needs_no_rules_of_its_own(configured):
    """Rules go by the bridge: an interface in it is a port, and not where packets are routed to."""
    stated = lines(
        configured(LinuxBridgePlugin).desired_state(vifs.bridge("br0", bridge_interface="eth9"), vifs.INSTANCE)
    )
    assert stated == [*flat("eth9"), *rules("-i br0 -j ACCEPT", "-o br0 -j ACCEPT")]


def test_the_name_of_the_bridge_is_the_vifs_word(configured):
    """VIF and network may differ, and os-vif 4.3.0 was seen to go by the VIF."""
    vif = vifs.bridge("br0", filtering=True, bridge="br1")
    assert lines(configured(LinuxBridgePlugin).desired_state(vif, vifs.INSTANCE)) == [BRIDGE]


def test_without_the_vifs_word_the_networks_counts(configured):
    """os-vif 4.3.0 failed with "Cannot load 'bridge_name' in the base class"."""
    vif = VIFBridge(
        id=vifs.identity(1), has_traffic_filtering=True, network=Network(bridge="br0", should_provide_bridge=True)
    )
    assert lines(configured(LinuxBridgePlugin).desired_state(vif, vifs.INSTANCE)) == [BRIDGE]


@pytest.mark.parametrize(
    ("vif", "options", "message"),
    [
        (
            VIFBridge(id=vifs.identity(1)),
            {},
            "network: must be set, because the plugin linux_bridge goes by it.",
        ),
        (
            VIFBridge(id=vifs.identity(1), network=Network(should_provide_bridge=True)),
            {},
            "bridge_name: must be set, or else network.bridge.",
        ),
        (
            vifs.bridge("br0", should_provide_vlan=True, bridge_interface="eth9"),
            {},
            "network.vlan: must be set, because the network asks for a VLAN.",
        ),
        (
            vifs.bridge("br0", should_provide_vlan=True, vlan=7),
            {},
            (
                "network.bridge_interface: must be set, or else the option vlan_interface,"
                " because the network asks for a VLAN."
            ),
        ),
        (
            vifs.bridge("br0", bridge_interface="br0"),
            {},
            "network.bridge_interface: br0 cannot be a port of the bridge br0.",
        ),
        (
            vifs.bridge("br0"),
            {"flat_interface": "br0"},
            "[os_vif_linux_bridge] flat_interface: br0 cannot be a port of the bridge br0.",
        ),
        (
            vifs.bridge("br0", should_provide_vlan=True, vlan=7, bridge_interface="eth9"),
            {"vlan_interface": "br0"},
            "[os_vif_linux_bridge] vlan_interface: br0 cannot be a port of the bridge br0.",
        ),
        (
            vifs.bridge("br0"),
            {"iptables_top_regex": "("},
            (
                "[os_vif_linux_bridge] iptables_top_regex: '(' is no pattern:"
                " missing ), unterminated subpattern at position 0."
            ),
        ),
        (vifs.generic(), {}, "vif: the plugin linux_bridge takes VIFBridge, not VIFGeneric."),
    ],
)
def test_what_cannot_be_done_is_refused_by_the_fields_name(configured, vif, options, message):
    """The host is not looked at: the plugin has no way to it."""
    with pytest.raises(exception.InvalidRequest) as caught:
        configured(LinuxBridgePlugin, **options).desired_state(vif, vifs.INSTANCE)
    assert str(caught.value) == message
    assert caught.value.kwargs["vif_id"] == vifs.identity(1)


def test_it_tells_of_what_it_takes(configured):
    """One class, in its one version, without port profiles: as os-vif 4.3.0 described itself."""
    info = configured(LinuxBridgePlugin).describe()
    assert info.plugin_name == "linux_bridge"
    assert [(vif.vif_object_name, vif.min_version, vif.max_version) for vif in info.vif_info] == [
        ("VIFBridge", "1.0", "1.0")
    ]
    assert info.vif_info[0].supported_port_profiles == []
