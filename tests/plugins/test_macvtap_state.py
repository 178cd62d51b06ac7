# SPDX-License-Identifier: Apache-2.0
"""What the macvtap plugin states for which VIFs."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFDirect
from os_vif.plugins.macvtap import MacvtapPlugin
from support import vifs
from support.resources import lines

MAC = "mac=52:54:00:00:00:01"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"network": Network(bridge_interface="eth9")},
            ["ExistingLink eth9 shared", f"Macvtap mvt1 {MAC} parent=eth9 sysctls=no-host-ip"],
        ),
        (
            {"mode": "vepa", "network": Network(bridge_interface="eth9", mtu=1450)},
            ["ExistingLink eth9 shared", f"Macvtap mvt1 {MAC} mode=vepa mtu=1450 parent=eth9 sysctls=no-host-ip"],
        ),
        (
            {"mode": "passthrough", "network": Network(bridge_interface="eth9")},
            ["ExistingLink eth9 shared", f"Macvtap mvt1 {MAC} mode=passthru parent=eth9 sysctls=no-host-ip"],
        ),
        (
            {"dev_address": "0000:03:00.1"},
            [
                "LinkOfFunction function=0000:03:00.1 shared",
                f"Macvtap mvt1 {MAC} parent_pci=0000:03:00.1 sysctls=no-host-ip",
            ],
        ),
        (
            {"dev_address": "0000:03:00.1", "network": Network(bridge_interface="eth9")},
            ["ExistingLink eth9 shared", f"Macvtap mvt1 {MAC} parent=eth9 sysctls=no-host-ip"],
        ),
        (
            {"vlan_name": "eth9.7", "network": Network(bridge_interface="eth9", vlan=7, mtu=1450)},
            [
                "ExistingLink eth9 shared",
                "Vlan eth9.7 if_foreign=share mtu=1450 parent=eth9 shared sysctls=no-host-ip vlan_id=7",
                f"Macvtap mvt1 {MAC} mtu=1450 parent=eth9.7 sysctls=no-host-ip",
            ],
        ),
        (
            {"vlan_name": "vlan7", "dev_address": "0000:03:00.1", "network": Network(vlan=7)},
            [
                "LinkOfFunction function=0000:03:00.1 shared",
                "Vlan vlan7 if_foreign=share parent_pci=0000:03:00.1 shared sysctls=no-host-ip vlan_id=7",
                f"Macvtap mvt1 {MAC} parent=vlan7 sysctls=no-host-ip",
            ],
        ),
    ],
)
def test_a_macvtap(configured, fields, expected):
    """The interface goes before the PCI address; with a VLAN device, that is what the macvtap stands on."""
    assert lines(configured(MacvtapPlugin).desired_state(vifs.direct(**fields), vifs.INSTANCE)) == expected


@pytest.mark.parametrize(
    ("vif", "message"),
    [
        (VIFDirect(id=vifs.identity(1)), "vif_name: must be set, because it names the macvtap."),
        (
            VIFDirect(id=vifs.identity(1), vif_name="mvt1"),
            "mode: must be set, because a macvtap cannot be made without.",
        ),
        (
            vifs.direct(),
            "dev_address: must be set, or else network.bridge_interface, because a macvtap needs a device below it.",
        ),
        (
            vifs.direct(vlan_name="eth9.7", network=Network(bridge_interface="eth9")),
            "network.vlan: must be set, because vlan_name asks for a VLAN device.",
        ),
        (
            vifs.direct(vlan_name="mvt1", network=Network(bridge_interface="eth9", vlan=7)),
            "vlan_name: mvt1 is named for two different devices.",
        ),
        (
            vifs.direct("eth9", network=Network(bridge_interface="eth9")),
            "vif_name: eth9 is named for two different devices.",
        ),
        (vifs.generic(), "vif: the plugin macvtap takes VIFDirect, not VIFGeneric."),
    ],
)
def test_what_cannot_be_done_is_refused_by_the_fields_name(configured, vif, message):
    """The error names the field, and the VIF."""
    with pytest.raises(exception.InvalidRequest) as caught:
        configured(MacvtapPlugin).desired_state(vif, vifs.INSTANCE)
    assert str(caught.value) == message
    assert caught.value.kwargs["vif_id"] == vifs.identity(1)


def test_it_tells_of_what_it_takes(configured):
    """VIFDirect with the plain profile: those of 802.1Qbg and 802.1Qbh need a switch that nobody here talks to."""
    info = configured(MacvtapPlugin).describe()
    [direct] = info.vif_info
    assert (info.plugin_name, direct.vif_object_name, direct.min_version, direct.max_version) == (
        "macvtap",
        "VIFDirect",
        "1.0",
        "1.0",
    )
    assert [profile.profile_object_name for profile in direct.supported_port_profiles] == ["VIFPortProfileBase"]
