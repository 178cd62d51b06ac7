# SPDX-License-Identifier: Apache-2.0
"""The table of binding types: each in Neutron's words, and what is plugged for it."""

from __future__ import annotations

import pytest

from os_vif.networks.neutron import vifs
from os_vif.networks.neutron.answering import choice_of
from os_vif.networks.neutron.binding import Wired

PORT = "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0"
NETWORK = "1f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0"
SLOT = "0000:03:10.2"
TAP, SOCKET = "tap0f1e2d3c-4b", "/run/vhu0f1e2d3c-4b"

OVS, REPRESENTOR = "VIFPortProfileOpenVSwitch", "VIFPortProfileOVSRepresentor"
MACVTAP = {"macvtap_source": "eth1", "physical_interface": "eth1", "macvtap_mode": "bridge"}
VF = {"port_filter": False, "vlan": "150"}

#: vif_type, vNIC type, details: class, plugin, port profile, and fields.
TABLE = {
    ("ovs", "normal", ()): ("VIFOpenVSwitch", "ovs", OVS, {"vif_name": TAP, "bridge_name": "br-int"}),
    ("ovs", "normal", (("ovs_hybrid_plug", True),)): ("VIFBridge", "ovs", OVS, {"bridge_name": "qbr0f1e2d3c-4b"}),
    ("ovs", "direct", ()): ("VIFHostDevice", "ovs", REPRESENTOR, {"dev_address": SLOT}),
    ("ovs", "vdpa", ()): ("VIFHostDevice", "ovs", REPRESENTOR, {"dev_address": SLOT}),
    ("ovs", "remote-managed", ()): ("VIFHostDevice", "noop", None, {"dev_address": SLOT}),
    ("agilio_ovs", "direct", ()): ("VIFHostDevice", "agilio_ovs", REPRESENTOR, {"dev_address": SLOT}),
    ("agilio_ovs", "virtio-forwarder", ()): ("VIFVHostUser", "agilio_ovs", REPRESENTOR, {"path": SOCKET}),
    ("agilio_ovs", "normal", ()): ("VIFOpenVSwitch", "ovs", OVS, {"vif_name": TAP}),
    ("vhostuser", "normal", (("vhostuser_ovs_plug", True),)): (
        "VIFVHostUser", "ovs", OVS, {"vif_name": "vhu0f1e2d3c-4b", "mode": "server"},
    ),
    ("vhostuser", "normal", (("vhostuser_fp_plug", True), ("vhostuser_ovs_plug", True))): (
        "VIFVHostUser", "vhostuser_fp", "VIFPortProfileFPOpenVSwitch", {"vif_name": TAP},
    ),
    ("vhostuser", "normal", (("vhostuser_fp_plug", True),)): (
        "VIFVHostUser", "vhostuser_fp", "VIFPortProfileFPBridge", {"vif_name": TAP},
    ),
    ("vhostuser", "normal", (("vhostuser_vrouter_plug", True),)): (
        "VIFVHostUser", "contrail_vrouter", None, {"vif_name": TAP},
    ),
    ("vhostuser", "normal", (("vhostuser_mode", "client"),)): ("VIFVHostUser", "noop", None, {"mode": "client"}),
    ("ivs", "normal", ()): ("VIFGeneric", "ivs", None, {"vif_name": TAP}),
    ("ivs", "normal", (("ovs_hybrid_plug", True),)): ("VIFBridge", "ivs", None, {"bridge_name": "qbr0f1e2d3c-4b"}),
    ("vrouter", "normal", ()): ("VIFGeneric", "vrouter", None, {"vif_name": TAP}),
    ("vrouter", "direct", ()): ("VIFHostDevice", "vrouter", "VIFPortProfileBase", {"dev_address": SLOT}),
    ("vrouter", "virtio-forwarder", ()): ("VIFVHostUser", "vrouter", "VIFPortProfileBase", {"path": SOCKET}),
    ("bridge", "normal", ()): ("VIFBridge", "linux_bridge", None, {"bridge_name": "brq1f1e2d3c-4b"}),
    ("bridge", "normal", (("bridge_name", "br7"),)): ("VIFBridge", "linux_bridge", None, {"bridge_name": "br7"}),
    ("tap", "normal", ()): ("VIFGeneric", "tap", None, {"vif_name": TAP}),
    ("tap", "normal", (("mac_address", "00:61:fe:ed:ca:fe"),)): (
        "VIFGeneric", "tap", "VIFPortProfileFPTap", {"vif_name": TAP},
    ),
    ("macvtap", "normal", tuple(MACVTAP.items())): ("VIFDirect", "macvtap", None, {"mode": "bridge", "vif_name": TAP}),
    ("hw_veb", "direct", tuple(VF.items())): ("VIFHostDevice", "noop", None, {"dev_address": SLOT}),
    ("hw_veb", "accelerator-direct", ()): ("VIFHostDevice", "noop", None, {"dev_address": SLOT}),
    ("hw_veb", "macvtap", (("vlan", "0"),)): ("VIFDirect", "macvtap", None, {"mode": "passthrough"}),
    ("hostdev_physical", "direct-physical", ()): ("VIFHostDevice", "noop", None, {"dev_address": SLOT}),
    ("802.1qbg", "normal", (("managerid", 1),)): ("VIFDirect", "noop", "VIFPortProfile8021Qbg", {"mode": "vepa"}),
    ("802.1qbh", "normal", (("profileid", "p"),)): (
        "VIFDirect", "noop", "VIFPortProfile8021Qbh", {"mode": "passthrough"},
    ),
    ("802.1qbh", "direct", (("profileid", "p"),)): (
        "VIFHostDevice", "noop", "VIFPortProfile8021Qbh", {"dev_address": SLOT},
    ),
}  # fmt: skip


def wired(vif_type, vnic_type="normal", details=(), profile=None, **more):
    told = {"vhostuser_socket": SOCKET} if vif_type in ("vhostuser", "agilio_ovs", "vrouter") else {}
    port = {"id": PORT, "mac_address": "fa:16:3e:00:00:01", "network_id": NETWORK, "fixed_ips": []}
    profile = {"pci_slot": SLOT} if profile is None else profile
    return Wired(port, vif_type, vnic_type, {**told, **dict(details)}, profile, {"name": "n", "mtu": 1450}, **more)


@pytest.mark.filterwarnings("ignore:VIFPortProfileOVSRepresentor is deprecated")
@pytest.mark.parametrize("bound", TABLE, ids=lambda bound: "-".join([*bound[:2], *(key for key, _ in bound[2])]))
def test_every_row(bound):
    vif_class, plugin, profile, fields = TABLE[bound]
    vif = vifs.make(wired(*bound))
    assert (vif.obj_name(), vif.plugin) == (vif_class, plugin)
    assert (vif.port_profile.obj_name() if "port_profile" in vif else None) == profile
    assert {name: getattr(vif, name) for name in fields} == fields
    assert (vif.id, vif.network.id, vif.network.mtu) == (PORT, NETWORK, 1450)


def test_the_whole_table_of_types_is_here():
    assert {vif_type for vif_type, *_ in TABLE} == set(vifs._MAKERS)


def test_a_macvtap_in_a_vlan_is_on_a_vlan_device():
    vif = vifs.make(wired("macvtap", details={**MACVTAP, "macvtap_source": "eth1.150", "vlan": 150}))
    assert (vif.network.bridge_interface, vif.network.vlan, vif.vlan_name) == ("eth1", 150, "eth1.150")


def test_a_virtual_function_is_put_into_its_vlan():
    assert vifs.make(wired("hw_veb", "direct", VF)).network.vlan == 150
    assert "vlan" not in vifs.make(wired("hw_veb", "direct", {"vlan": "0"})).network


@pytest.mark.parametrize(
    ("vif_type", "vnic_type", "details", "complaint"),
    [
        ("hyperv", "normal", {}, "Neutron has bound hyperv, and no plugin of os-vif plugs that."),
        ("unbound", "normal", {}, "Neutron has bound unbound"),
        ("vhostuser", "normal", {"vhostuser_socket": ""}, "its details have no vhostuser_socket"),
        ("macvtap", "normal", {**MACVTAP, "macvtap_mode": "private"}, "no macvtap_mode that is known"),
        ("macvtap", "normal", {}, "its details have no macvtap_source"),
        ("hw_veb", "macvtap", VF, "in a VLAN, which nobody here can set"),
        ("vrouter", "vdpa", {}, "vrouter for vNICs of type vdpa"),
    ],
)
def test_what_cannot_be_plugged_says_why(vif_type, vnic_type, details, complaint):
    with pytest.raises(vifs.Untranslatable, match=complaint):
        vifs.make(wired(vif_type, vnic_type, details))


@pytest.mark.parametrize(
    ("vif_type", "details", "complaint"),
    [
        ("vhostuser", {"vhostuser_mode": "odd"}, "mode: 'odd' is not one of client, server"),
        ("hw_veb", {"vlan": "odd"}, "invalid literal for int"),
        ("ovs", {"bridge_name": 7}, "'int' object"),
    ],
)
def test_details_that_mean_nothing_are_told_of(vif_type, details, complaint):
    told = wired(vif_type, details=details)
    with pytest.raises(vifs.Untranslatable, match=f"bound as {vif_type} cannot be read: {complaint}"):
        vifs.make(told)
    assert choice_of(told.details, told) == ""


def test_a_detail_of_somebody_else_is_no_choice():
    assert choice_of({"os_vif": "theirs"}, wired("ovs")) == "ovs"


@pytest.mark.parametrize("vif_type", ["ovs", "hw_veb"])
def test_a_function_without_an_address_says_so(vif_type):
    with pytest.raises(vifs.Untranslatable, match="its profile has no pci_slot"):
        vifs.make(wired(vif_type, "direct", profile={}))
