# SPDX-License-Identifier: Apache-2.0
"""Addresses and routes are read, taken away and given back without losing anything of them."""

from __future__ import annotations

import pytest

from os_vif.host.kernel import addresses as kernel_addresses
from os_vif.host.kernel import rtnetlink

ADDRESSES = (
    "10.1.0.5/24",
    "10.1.0.6/24",  # secondary: goes when the first goes
    "10.2.0.1/16 label eth9:alias",
    "192.0.2.1/32 peer 192.0.2.2/32",
    "10.3.0.1/24 noprefixroute",
    "10.4.0.1/24 valid_lft 4000 preferred_lft 3000",
    "2001:db8:9::1/64 nodad",
    "2001:db8:9::2/64 nodad metric 300",
    "2001:db8:8::1/128 peer 2001:db8:8::2/128 nodad noprefixroute",
)
ROUTES = (
    "10.3.0.0/24 dev eth9 scope link metric 77",
    "default via 10.1.0.1 dev eth9",
    "default via 10.1.0.2 dev eth9 metric 500",
    "172.16.0.0/12 via 10.2.0.9 dev eth9 src 10.2.0.1 mtu 1300 proto static",
    "198.51.100.0/24 via 10.3.0.7 dev eth9 table 1042 onlink",
    "198.18.0.0/15 nexthop via 10.1.0.7 dev eth9 weight 3 nexthop via 10.1.0.8 dev eth9",
    "-6 default via 2001:db8:9::fe dev eth9 metric 1000",
    "-6 default via 2001:db8:9::fd dev eth9 metric 50 expires 4000",
    "-6 2001:db8:77::/48 via fe80::1 dev eth9 table 1042 src 2001:db8:9::1",
    "-6 2001:db8:78::/48 nexthop via fe80::1 dev eth9 weight 3 nexthop via fe80::2 dev eth9",
)


@pytest.fixture
def furnished(netns):
    """A namespace whose eth9 has addresses and routes of every sort."""
    netns.ip("link", "add", "eth9", "address", "02:00:00:00:00:09", "type", "veth", "peer", "name", "wire")
    netns.ip("link", "set", "wire", "up")
    netns.ip("link", "set", "eth9", "up")
    for address in ADDRESSES:
        netns.ip("address", "add", *address.split(), "dev", "eth9")
    for route in ROUTES:
        family, *words = route.split() if route.startswith("-6") else ("-4", *route.split())
        netns.ip(family, "route", "add", *words)
    return netns


def _without_lifetimes(snapshot):
    return str({name: part for name, part in snapshot.items() if name != "sysctls"})


def test_addresses_are_read_in_order(furnished):
    """Every IPv4 address, primary ones as well as secondary ones, then those of IPv6."""
    with furnished.enter():
        found = kernel_addresses.addresses_of(rtnetlink.get_link("eth9").index)
    assert [address["shown"] for address in found] == [
        "10.1.0.5/24",
        "10.2.0.1/16",
        "192.0.2.1/32",
        "10.3.0.1/24",
        "10.4.0.1/24",
        "10.1.0.6/24",
        "fe80::ff:fe00:9/64",
        "2001:db8:9::1/64",
        "2001:db8:9::2/64",
        "2001:db8:8::1/128",
    ]


def test_routes_of_all_tables_are_read_neighbours_first(furnished):
    """Routes that somebody added, of every table; not those that come and go with an address."""
    with furnished.enter():
        found = kernel_addresses.routes_via(rtnetlink.get_link("eth9").index)
    assert found[0]["shown"] == "10.3.0.0/24"
    assert sorted(route["shown"] for route in found) == sorted(
        [
            *("10.3.0.0/24", "default", "default", "172.16.0.0/12", "198.51.100.0/24", "198.18.0.0/15"),
            *("default", "default", "2001:db8:77::/48", "2001:db8:78::/48", "2001:db8:78::/48"),
        ]
    )


def test_what_was_taken_away_can_be_given_back(furnished):
    """After all was removed and put back, `ip` shows what it showed before: labels, metrics, tables, sources."""
    before = furnished.snapshot()
    with furnished.enter():
        index = rtnetlink.get_link("eth9").index
        addresses, routes = kernel_addresses.addresses_of(index), kernel_addresses.routes_via(index)
        for route in reversed(routes):
            kernel_addresses.delete_route(index, route)
        for address in reversed(addresses):
            kernel_addresses.delete_address(index, address)
        assert (kernel_addresses.addresses_of(index), kernel_addresses.routes_via(index)) == ([], [])
        for address in addresses:
            kernel_addresses.add_address(index, address)
        for route in routes:
            kernel_addresses.add_route(index, route, beside=True)
    assert furnished.snapshot() == before


def test_a_route_over_several_devices_can_be_given_to_another(furnished):
    """Only the next hop by the device goes elsewhere; `ip` shows the others as they were."""
    furnished.ip("link", "add", "eth8", "type", "veth", "peer", "name", "wire8")
    furnished.ip("link", "set", "eth8", "up")
    furnished.ip("address", "add", "10.8.0.1/24", "dev", "eth8")
    hops = "nexthop via 10.1.0.1 dev eth9 nexthop via 10.8.0.2 dev eth8"
    furnished.ip("route", "add", "203.0.113.0/24", *hops.split())
    furnished.ip("link", "add", "eth7", "type", "veth", "peer", "name", "wire7")
    furnished.ip("link", "set", "eth7", "up")
    furnished.ip("address", "add", "10.1.0.5/24", "dev", "eth7")
    with furnished.enter():
        index, other = (rtnetlink.get_link(name).index for name in ("eth9", "eth7"))
        [route] = [route for route in kernel_addresses.routes_via(index) if route["shown"] == "203.0.113.0/24"]
        kernel_addresses.add_route(other, route, beside=True)
        kernel_addresses.delete_route(index, route)
    [shown] = furnished.ip_json("route", "show", "203.0.113.0/24")
    assert [(hop["gateway"], hop["dev"]) for hop in shown["nexthops"]] == [("10.1.0.1", "eth7"), ("10.8.0.2", "eth8")]
