# SPDX-License-Identifier: Apache-2.0
"""What well-formed objects can have in them that no host could do anything with."""

from __future__ import annotations

from typing import Any

import pytest

from os_vif.objects import fields, network, route, subnet, validate, vif

UUID = "7f2a9be8-e4b1-4bf8-a5ff-8c0f1bd5a3c4"


def told(obj: Any) -> list[str]:
    return [problem.field for problem in validate.problems(obj)]


def test_a_good_vif_has_no_problems() -> None:
    """Nor has one with next to nothing set: what is needed is for the plugin to say."""
    net = network.Network(id=UUID, bridge="br-int", bridge_interface=None, mtu=1500, vlan=None)
    good = vif.VIFOpenVSwitch(
        id=UUID, address="fa:16:3e:00:00:01", vif_name="tap7f2a9be8-e4", bridge_name="br-int", network=net
    )
    assert validate.problems(good) == []
    assert validate.problems(vif.VIFOpenVSwitch()) == []
    assert validate.problems(vif.VIFBridge(id=UUID.replace("-", ""))) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        (".", "cannot be"),
        ("..", "cannot be"),
        ("../../etc", "slash"),
        ("a/b", "slash"),
        ("a b", "space"),
        ("a\tb", r"\\t"),
        ("a\0b", "NUL"),
        ("a\nb", r"\\n"),
        ("a\x1bb", r"\\x1b"),
        ("a\u00a0b", r"\\xa0"),
        ("a:b", "colon"),
        ("-rf", "option"),
        ("abcdefghijklmnop", "16 bytes"),
        ("éééééééé", "16 bytes"),
        ("\ud800", "has"),
        ("x" * 10**6, "1000000 bytes"),
    ],
)
def test_names_that_no_interface_can_have(name: str, why: str) -> None:
    """Every field that names an interface is looked at, wherever it is, and so are the attributes that Nova adds."""
    offload = vif.DatapathOffloadRepresentor(representor_name=name)
    profile = vif.VIFPortProfileFPOpenVSwitch(bridge_name=name, datapath_offload=offload)
    bad = vif.VIFDirect(
        vif_name=name, vlan_name=name, port_profile=profile, network=network.Network(bridge=name, bridge_interface=name)
    )
    assert sorted(told(bad)) == [
        "network.bridge",
        "network.bridge_interface",
        "port_profile.bridge_name",
        "port_profile.datapath_offload.representor_name",
        "vif_name",
        "vlan_name",
    ]
    assert told(vif.VIFVHostUser(vif_name=name, bridge_name=name)) == ["vif_name", "bridge_name"]
    assert told(vif.VIFHostDevice(vif_name=name)) == ["vif_name"]
    for problem in validate.problems(bad):
        assert problem.value == name
        assert problem.hint
        assert len(str(problem)) < 250
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(str(validate.problems(bad)[0]))


def test_fifteen_letters_are_a_name() -> None:
    """With what names of devices have in them everywhere."""
    assert told(vif.VIFBridge(vif_name="abcdefghijklmno", bridge_name="br-ex_0.42")) == []


@pytest.mark.parametrize(
    "name",
    [
        *("tap%d", "br+", "+", "br*", "br?", "'br'", 'b"r', "br;id", "$br", "br\u200b", "b\u202er", "bré", "eth0@if3"),
        *("lo", "all", "default", "bonding_masters"),
    ],
)
def test_names_that_are_something_else_to_somebody(name: str) -> None:
    """Patterns of iptables, formats of the kernel, quotes and markup, what looks like another one; reserved names."""
    assert told(vif.VIFBridge(bridge_name=name)) == ["bridge_name"]


@pytest.mark.parametrize(
    ("mtu", "wrong"), [(67, True), (68, False), (65535, False), (65536, True), (-1, True), (0, True)]
)
def test_mtu(mtu: int, wrong: bool) -> None:
    """68 is the least that IPv4 needs, 65535 the most that the kernel takes."""
    assert told(vif.VIFBridge(network=network.Network(mtu=mtu))) == (["network.mtu"] if wrong else [])


@pytest.mark.parametrize(
    ("vlan", "wrong"), [(0, True), (1, False), (4094, False), (4095, True), pytest.param(10**5000, True, id="huge")]
)
def test_vlan(vlan: int, wrong: bool) -> None:
    """The two ends of twelve bits are reserved. A number of any size can be told of."""
    assert told(network.Network(vlan=vlan)) == (["vlan"] if wrong else [])


@pytest.mark.parametrize(
    ("mac", "wrong"),
    [
        ("00:00:00:00:00:00", True),
        ("01:00:5e:00:00:01", True),
        ("ff:ff:ff:ff:ff:ff", True),
        ("02:00:00:00:00:00", False),
    ],
)
def test_mac_addresses_that_no_device_can_have(mac: str, wrong: bool) -> None:
    """Multicast, broadcast and none."""
    assert told(vif.VIFBridge(address=mac)) == (["address"] if wrong else [])
    assert told(vif.VIFPortProfileFPTap(mac_address=mac)) == (["mac_address"] if wrong else [])


def test_a_pci_address_is_no_mac_address() -> None:
    """Its first octet may be odd."""
    assert told(vif.VIFHostDevice(dev_address="0100:3b:00.1")) == []


def test_uuids() -> None:
    """Peers send anything as a UUID; here it is told, at its place."""
    profile = vif.VIFPortProfileOpenVSwitch(interface_id="port 5", profile_id="anything")
    assert told(vif.VIFBridge(id="5", port_profile=profile, network=network.Network(id=""))) == [
        "id",
        "network.id",
        "port_profile.interface_id",
    ]


def test_what_a_guest_calls_its_interfaces_is_its_own_affair() -> None:
    """The interface of a route is inside the guest."""
    routes = route.RouteList(objects=[route.Route(interface="Local Area Connection #2")])
    assert told(subnet.Subnet(routes=routes)) == []


def test_classes_of_others_are_looked_at_too() -> None:
    """By the names and kinds of their fields."""

    class VIFStrange(vif.VIFBase):
        mtu = fields.StringField()  # text, so not held to be a number
        vlan_name = fields.StringField()

    assert told(VIFStrange(mtu="big", vlan_name="a b", id="5")) == ["vlan_name", "id"]
