# SPDX-License-Identifier: Apache-2.0
"""A network's subnets are nobody else's: this host's, those that it routes to, those of another network."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.testing import offers

OFFER = offers.offer("bridge")


@pytest.fixture
def host(netns):
    """A host with an interface eth1, which is up."""
    netns.ip("link", "add", "eth1", "type", "veth", "peer", "name", "wire")
    for name in ("eth1", "wire"):
        netns.ip("link", "set", name, "up")
    with netns.enter():
        yield netns


def refused(side, **wanted):
    with pytest.raises(exception.NetworkConflict) as caught:
        side.create(**wanted)
    return str(caught.value), caught.value.hint


@pytest.mark.parametrize(
    ("address", "cidr", "has"),
    [
        ("192.0.2.9/24", "192.0.2.0/24", "192.0.2.0/24"),
        ("192.0.2.9/24", "192.0.0.0/16", "192.0.2.0/24"),
        ("192.0.2.9/24", "192.0.2.128/25", "192.0.2.0/24"),
        ("192.0.2.9/32", "192.0.2.0/24", "192.0.2.9/32"),
        ("fd00:77::9/64", "fd00:77::/48", "fd00:77::/64"),
    ],
)
def test_what_this_host_has_is_refused(side, host, address, cidr, has):
    """Also where the interface is down, as that changes. The error says who has it, and what to do."""
    host.ip("address", "add", address, "dev", "eth1")
    message, hint = refused(side, cidrs=[cidr])
    assert message == f"{cidr} overlaps {has}, which eth1 of this host has."
    assert hint == (
        "Choose another subnet; or put guests on that one: --uplink eth1, or --bridge if it is a bridge."
        " --force makes the network all the same."
    )
    host.ip("link", "set", "eth1", "down")
    if ":" not in address:
        assert refused(side, cidrs=[cidr])[0] == message
    assert side.create(cidrs=[cidr], force=True)


@pytest.mark.parametrize(
    ("route", "cidr"),
    [
        (["10.0.0.0/8", "via", "192.0.2.1"], "10.42.0.0/16"),
        (["10.42.7.0/24", "dev", "eth1"], "10.42.0.0/16"),
        (["10.42.0.0/16", "nexthop", "via", "192.0.2.1", "nexthop", "via", "192.0.2.2"], "10.42.0.0/16"),
        (["fd01::/64", "via", "fd00::1"], "fd01::/64"),
    ],
)
def test_what_this_host_routes_to_is_refused(side, host, route, cidr):
    """Guests, or the host, could not reach what is there."""
    host.ip("address", "add", "192.0.2.9/24", "dev", "eth1")
    host.ip("address", "add", "fd00::9/64", "dev", "eth1", "nodad")
    host.ip("route", "add", *route)
    assert refused(side, cidrs=[cidr])[0] == (f"{cidr} overlaps {route[0]}, which this host routes to through eth1.")
    assert side.create(cidrs=[cidr], force=True)


def test_what_leads_everywhere_or_nowhere_is_no_obstacle(side, host):
    """Default routes, also in two halves as VPNs have them; and what is not to be reached at all."""
    host.ip("address", "add", "192.0.2.9/24", "dev", "eth1")
    host.ip("address", "add", "fd00::9/64", "dev", "eth1", "nodad")
    for route in (["default", "via", "192.0.2.1"], ["0.0.0.0/1", "via", "192.0.2.1"], ["128.0.0.0/1", "dev", "eth1"]):
        host.ip("route", "add", *route)
    for route in (["default", "via", "fd00::1"], ["2000::/3", "via", "fd00::1"]):
        host.ip("-6", "route", "add", *route)
    host.ip("route", "add", "blackhole", "10.0.0.0/8")
    assert side.create(cidrs=["10.42.0.0/16", "2001:db8::/64"])


def test_with_dhcp_there_is_no_way_past_it(side, host):
    """This host would get an address of its own network a second time, and lose the way to it."""
    host.ip("address", "add", "192.0.2.9/24", "dev", "eth1")
    _, hint = refused(side, dhcp=True, force=True)
    assert "--force" not in hint


def test_the_uplinks_own_network_is_meant(side, host):
    """So is that of a bridge which is there already; but not that of the interface which a VLAN is on."""
    host.ip("address", "add", "192.0.2.9/24", "dev", "eth1")
    assert "eth1 of this host" in refused(side, uplink="eth1", vlan=7)[0]
    assert side.create(uplink="eth1")
    host.ip("link", "add", "br0", "type", "bridge")
    host.ip("address", "add", "198.51.100.1/24", "dev", "br0")
    assert "br0 of this host" in refused(side, name="red", cidrs=["198.51.100.0/24"])[0]
    assert side.create("red", cidrs=["198.51.100.0/24"], bridge="br0")


def test_another_networks_subnet_is_refused(side, host):
    """Unless that is meant, as on two VLANs; with DHCP in both it cannot be."""
    side.create("blue")
    assert refused(side, name="red", cidrs=["192.0.2.0/25"]) == (
        "192.0.2.0/25 overlaps 192.0.2.0/24 of network blue.",
        "Choose another subnet; --force makes the network all the same.",
    )
    assert side.create("red", cidrs=["192.0.2.0/25"], force=True)


def test_no_port_gets_an_address_of_this_host_or_of_its_router(side, host):
    """Nor does the DHCP server, which would have the router's address if its network began with it."""
    host.ip("address", "add", "192.0.2.2/24", "dev", "eth1")
    host.ip("route", "add", "default", "via", "192.0.2.1")
    network = side.create(uplink="eth1")
    assert side.driver.show(side.bind(OFFER).vif.id).ip_addresses == ("192.0.2.3",)
    for address in ("192.0.2.1", "192.0.2.2"):
        with pytest.raises(
            exception.NetworkConflict, match=f"{address} is the address of the gateway, the DHCP server"
        ):
            side.bind(OFFER, ip_addresses=[address])
    assert network.subnets[0].gateway is None
