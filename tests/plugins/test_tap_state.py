# SPDX-License-Identifier: Apache-2.0
"""What the tap plugin states for which VIFs."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFGeneric, VIFPortProfileFPTap, VIFPortProfileOpenVSwitch
from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from os_vif.plugins.tap import TapPlugin
from support import vifs
from support.resources import lines


@pytest.mark.parametrize(
    ("fields", "options", "expected"),
    [
        ({}, {}, "Tap tap1 sysctls=no-host-ip"),
        ({"network": Network(mtu=1450)}, {}, "Tap tap1 mtu=1450 sysctls=no-host-ip"),
        ({"network": Network()}, {}, "Tap tap1 sysctls=no-host-ip"),
        ({"network": None}, {}, "Tap tap1 sysctls=no-host-ip"),
        ({"port_profile": VIFPortProfileOpenVSwitch()}, {}, "Tap tap1 sysctls=no-host-ip"),
        (
            {"port_profile": VIFPortProfileOpenVSwitch(multiqueue=True)},
            {},
            "Tap tap1 multi_queue sysctls=no-host-ip",
        ),
        (
            {"port_profile": VIFPortProfileFPTap(mac_address="FE:16:3E:00:00:01")},
            {},
            "Tap tap1 mac=fe:16:3e:00:00:01 sysctls=no-host-ip",
        ),
        ({}, {"owner": 64055, "group": 108}, "Tap tap1 group=108 owner=64055 sysctls=no-host-ip"),
    ],
)
def test_a_tap(configured, fields, options, expected):
    """The MTU is the network's; the MAC only ever that of the profile, since the VIF's is the guest's own."""
    plugin = configured(TapPlugin, **options)
    assert lines(plugin.desired_state(vifs.generic(**fields), vifs.INSTANCE)) == [expected]


def in_bridge(**network):
    return vifs.generic(network=Network(bridge="br0", **network), has_traffic_filtering=True)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ({}, ["ExistingLink br0 shared up=None", "Tap tap1 master=br0 sysctls=no-host-ip"]),
        ({"mtu": 1450}, ["ExistingLink br0 shared up=None", "Tap tap1 master=br0 mtu=1450 sysctls=no-host-ip"]),
        (
            {"should_provide_bridge": True, "multi_host": True},
            ["ExistingLink br0 shared up=None", "Tap tap1 master=br0 sysctls=no-host-ip"],
        ),
    ],
)
def test_a_bridge_that_is_not_to_be_made_must_be_there(configured, network, expected):
    """Nothing of it is changed: what is stated is that it exists."""
    stated = configured(TapPlugin).desired_state(in_bridge(**network), vifs.INSTANCE)
    assert lines(stated) == expected


@pytest.mark.parametrize(
    "network",
    [
        {},
        {"mtu": 1450},
        {"bridge_interface": "eth9"},
        {"bridge_interface": "eth9", "mtu": 1450},
        {"bridge_interface": "eth9", "should_provide_vlan": True, "vlan": 7},
    ],
)
@pytest.mark.parametrize("filtering", [True, False])
def test_the_bridge_is_made_as_the_linux_bridge_plugin_makes_it(configured, network, filtering):
    """The same resources to the letter, by the same options: VIFs of both plugins may share a network."""
    options = {"network_device_mtu": 9000, "forward_bridge_interface": ["eth5"]}
    other = configured(LinuxBridgePlugin, **options)
    tap_plugin = TapPlugin(configured(TapPlugin).config, other.config)
    vif = vifs.generic(
        network=Network(bridge="br0", should_provide_bridge=True, **network), has_traffic_filtering=filtering
    )
    *bridge, tap = tap_plugin.desired_state(vif, vifs.INSTANCE)
    assert bridge == list(other.desired_state(vifs.bridge("br0", filtering=filtering, **network), vifs.INSTANCE))
    assert tap.master == "br0"
    assert tap.mtu == network.get("mtu", 9000 if "bridge_interface" in network else None)


@pytest.mark.parametrize(
    ("vif", "message"),
    [
        (
            in_bridge(should_provide_bridge=True, bridge_interface="br0"),
            "network.bridge_interface: br0 cannot be a port of the bridge br0.",
        ),
        (VIFGeneric(id=vifs.identity(1)), "vif_name: must be set, because it names the tap."),
        (vifs.bridge("br0"), "vif: the plugin tap takes VIFGeneric, not VIFBridge."),
    ],
)
def test_what_cannot_be_done_is_refused_by_the_fields_name(configured, vif, message):
    """The error names the field, and the VIF."""
    with pytest.raises(exception.InvalidRequest) as caught:
        configured(TapPlugin).desired_state(vif, vifs.INSTANCE)
    assert str(caught.value) == message
    assert caught.value.kwargs["vif_id"] == vifs.identity(1)


def test_it_tells_of_what_it_takes(configured):
    """VIFGeneric, with the profiles that say something about a tap, in all their versions."""
    info = configured(TapPlugin).describe()
    assert info.plugin_name == "tap"
    [generic] = info.vif_info
    assert (generic.vif_object_name, generic.min_version, generic.max_version) == ("VIFGeneric", "1.0", "1.0")
    profiles = generic.supported_port_profiles
    assert [(profile.profile_object_name, profile.min_version, profile.max_version) for profile in profiles] == [
        ("VIFPortProfileBase", "1.0", "1.1"),
        ("VIFPortProfileFPTap", "1.0", "1.1"),
        ("VIFPortProfileOpenVSwitch", "1.0", "1.4"),
    ]
