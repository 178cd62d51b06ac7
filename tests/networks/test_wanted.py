# SPDX-License-Identifier: Apache-2.0
"""What a network can be like, and what it cannot."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.networks.local.spec import WantedNetwork, checked


def _whole(**fields):
    return WantedNetwork("blue", **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cidrs": ["192.0.2.1/24"]}, "cidrs: 192.0.2.1/24 has host bits set."),
        ({"cidrs": ["192.0.2.0"]}, "cidrs: 192.0.2.0 is a single address, not a subnet."),
        ({"cidrs": ["blue"]}, "cidrs: 'blue' does not appear to be an IPv4 or IPv6 network."),
        ({"cidrs": ["10.0.0.0/8", "10.1.0.0/16"]}, "cidrs: 10.1.0.0/16 and 10.0.0.0/8 overlap."),
        ({"cidrs": ["224.0.0.0/24"]}, "cidrs: 224.0.0.0/24 holds no addresses that a guest can have."),
        (
            {"cidrs": ["10.0.0.0/24"], "gateways": ["10.0.1.1"]},
            "gateways: 10.0.1.1 is in no subnet of the network; there are: 10.0.0.0/24.",
        ),
        (
            {"cidrs": ["10.0.0.0/24"], "gateways": ["10.0.0.255"]},
            "gateways: 10.0.0.255 holds an address of 10.0.0.0/24 that no device can have.",
        ),
        (
            {"cidrs": ["10.0.0.0/24"], "gateways": ["10.0.0.1", "10.0.0.2"]},
            "gateways: a subnet has one gateway, and two are given for one.",
        ),
        ({"gateways": ["blue"]}, "gateways: 'blue' does not appear to be an IPv4 or IPv6 address."),
        ({"pools": ["10.0.0.9"]}, "pools: '10.0.0.9' is not FIRST-LAST."),
        ({"pools": ["10.0.0.9-fd00::9"]}, "pools: '10.0.0.9-fd00::9' is not FIRST-LAST."),
        ({"pools": ["10.0.0.9-10.0.0.2"]}, "pools: 10.0.0.9-10.0.0.2 ends before it begins."),
        (
            {"cidrs": ["10.0.0.0/24"], "pools": ["10.0.0.9-10.0.1.9"]},
            "pools: 10.0.0.9-10.0.1.9 is in no subnet of the network; there are: 10.0.0.0/24.",
        ),
        (
            {"cidrs": ["10.0.0.0/24"], "pools": ["10.0.0.1-10.0.0.9", "10.0.0.5-10.0.0.20"]},
            "pools: a subnet has one pool, and two are given for one.",
        ),
        ({"switch": "token-ring"}, "switch: 'token-ring' is not one of linux_bridge, ovs."),
        ({"bridge": "a-name-too-long-"}, "bridge: 'a-name-too-long-' is 16 bytes long; the kernel takes 15."),
        ({"bridge": "a b"}, "bridge: 'a b' has a space in it."),
        ({"mtu": 67}, "mtu: 67 bytes cannot be an MTU."),
        ({"mtu": 1279, "cidrs": ["fd00::/64"]}, "mtu: IPv6 needs at least 1280 bytes, 1279 are given."),
        ({"vlan": 7}, "vlan: a VLAN is on an uplink, and none is given."),
        ({"vlan": 4095, "uplink": "eth0"}, "vlan: 4095 is not a VLAN id."),
        ({"uplink": "eth0", "bridge": "eth0"}, "uplink: eth0 cannot be a port of itself."),
        (
            {"uplink": "eth0", "switch": "ovs"},
            "uplink: the Open vSwitch plugin joins no interface to a bridge, and sets no VLAN.",
        ),
        ({"dhcp": True, "cidrs": ["fd00::/64"]}, "dhcp: there is no IPv4 subnet to serve."),
        (
            {"dhcp": True, "cidrs": ["10.0.0.0/30"], "pools": ["10.0.0.1-10.0.0.1"]},
            "dhcp: 10.0.0.0/30 has no address for both the DHCP server and a port.",
        ),
        (
            {"dhcp": True, "cidrs": ["10.0.0.0/24"], "uplink": "eth0"},
            "dhcp: eth0 leads to a network that may have a DHCP server of its own.",
        ),
        (
            {"dhcp": True, "cidrs": ["10.0.0.0/24"], "uplink": "eth0", "force": True},
            "pools: 10.0.0.0/24 is also that of others on eth0: say which addresses of it are free.",
        ),
        (
            {"dhcp": True, "cidrs": ["10.0.0.0/30"], "gateways": ["10.0.0.1"]},
            "dhcp: 10.0.0.0/30 has no address for both the DHCP server and a port.",
        ),
    ],
)
def test_what_cannot_be_is_refused(side, fields, message):
    """The error names the field; nothing is written."""
    with pytest.raises(exception.InvalidRequest) as caught:
        side.create(**({"cidrs": []} | fields))
    assert str(caught.value) == message
    assert side.manager.networks() == []


@pytest.mark.parametrize("name", ["", "a/b", "-", "-a", "a b", "a" * 64])
def test_names_that_would_be_a_nuisance_are_refused(name):
    """As anybody would have to quote them."""
    with pytest.raises(exception.InvalidRequest) as caught:
        checked(WantedNetwork(name))
    assert str(caught.value) == f"name: {name!r} cannot be a network's name."


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "blue"}, "There is a network blue already."),
        ({"bridge": "br0"}, "The bridge br0 is that of network blue; the two would be one."),
        ({"uplink": "eth0"}, "The uplink eth0 is that of network blue."),
    ],
)
def test_what_is_taken_is_refused(side, fields, message):
    """Two networks share nothing; a VLAN makes two of one uplink."""
    side.create(bridge="br0", uplink="eth0")
    with pytest.raises(exception.NetworkConflict) as caught:
        side.create(**({"name": "red", "force": True} | fields))
    assert str(caught.value) == message
    assert len(side.manager.networks()) == 1
    assert side.create("green", uplink="eth0", vlan=7, force=True)


@pytest.mark.parametrize(
    ("fields", "pool", "server"),
    [
        ({"cidrs": ["10.0.0.0/24"]}, ("10.0.0.1", "10.0.0.254"), None),
        ({"cidrs": ["10.0.0.0/31"]}, ("10.0.0.0", "10.0.0.1"), None),
        ({"cidrs": ["fd00::/126"]}, ("fd00::1", "fd00::3"), None),
        ({"cidrs": ["10.0.0.0/24"], "pools": ["10.0.0.5 - 10.0.0.6"]}, ("10.0.0.5", "10.0.0.6"), None),
        ({"cidrs": ["10.0.0.0/24"], "dhcp": True}, ("10.0.0.1", "10.0.0.254"), "10.0.0.1"),
        (
            {"cidrs": ["10.0.0.0/24"], "gateways": ["10.0.0.1"], "dhcp": True},
            ("10.0.0.1", "10.0.0.254"),
            "10.0.0.2",
        ),
    ],
)
def test_the_pool_of_a_subnet(fields, pool, server):
    """All addresses that a device can have, or those that are given; the DHCP server has the first that is free."""
    (subnet,) = checked(_whole(**fields)).subnets
    assert ((subnet.first, subnet.last), subnet.dhcp_server) == (pool, server)


@pytest.mark.parametrize(("switch", "prefix"), [("linux_bridge", "brq"), ("ovs", "br-")])
def test_every_network_has_a_bridge_of_its_own(switch, prefix):
    """Named as Neutron's are, after the network's id, unless it is given a name."""
    network = checked(_whole(switch=switch))
    assert network.bridge == f"{prefix}{network.id}"[:14]
    assert checked(_whole(switch=switch, bridge="br-blue")).bridge == "br-blue"
