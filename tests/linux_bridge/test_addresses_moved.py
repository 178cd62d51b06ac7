# SPDX-License-Identifier: Apache-2.0
"""An interface's addresses and routes move to the bridge, and come back exactly as they were."""

from __future__ import annotations

import pytest

from support import differences, vifs

ADDRESSES = (
    "10.1.0.5/24",
    "10.1.0.6/24",  # secondary: the kernel would take it along with the first
    "192.168.7.1/30",
    "192.0.2.1/32",
)
ROUTES = (
    "default via 10.1.0.1 metric 50",
    "default via 192.168.7.2 metric 700",
    # os-vif 4.3.0 failed here, half-way, with the route lost: it moved routes in the wrong order
    "172.16.0.0/16 via 10.1.0.9 dev eth9 metric 77 src 10.1.0.6",
    "198.51.100.0/24 dev eth9 scope link metric 10",
    "203.0.113.0/24 via 198.51.100.1 table 1042",
)


@pytest.fixture
def furnished(host, wire):
    """A host that is reached through eth9."""
    for address in ADDRESSES:
        host.ns.ip("address", "add", address, "dev", wire)
    for route in ROUTES:
        host.ns.ip("route", "add", *route.split())
    return host


def shown(namespace, device):
    links = namespace.ip_json("-4", "address", "show", "dev", device)
    addresses = [f"{a['local']}/{a['prefixlen']}" for link in links for a in link.get("addr_info", ()) if a]
    routes = [
        f"{route['dst']} via {route.get('gateway')} metric {route.get('metric')} src {route.get('prefsrc')}"
        for route in namespace.ip_json("-4", "route", "show", "table", "all", "type", "unicast", "dev", device)
        if route.get("protocol") != "kernel"
    ]
    return addresses, sorted(routes)


EXPECTED = (
    ["10.1.0.5/24", "192.168.7.1/30", "192.0.2.1/32", "10.1.0.6/24"],
    [
        "172.16.0.0/16 via 10.1.0.9 metric 77 src 10.1.0.6",
        "198.51.100.0/24 via None metric 10 src None",
        "203.0.113.0/24 via 198.51.100.1 metric None src None",
        "default via 10.1.0.1 metric 50 src None",
        "default via 192.168.7.2 metric 700 src None",
    ],
)


def test_everything_moves(furnished):
    """All addresses in their order, and all routes, gateways, metrics, sources and tables included."""
    assert shown(furnished.ns, "eth9") == EXPECTED
    furnished.plug(vifs.bridge("br0", bridge_interface="eth9"))
    assert shown(furnished.ns, "br0") == EXPECTED
    assert shown(furnished.ns, "eth9") == ([], [])
    assert furnished.ns.link("eth9")["master"] == "br0"


def test_everything_comes_back(furnished):
    """After the last VIF has gone, the host is as it was before the first, its MTU and its rules included."""
    before = furnished.ns.snapshot()
    vif = vifs.bridge("br0", bridge_interface="eth9", mtu=1450)
    furnished.plug(vif)
    assert (furnished.ns.link("eth9")["mtu"], furnished.ns.link("br0")["mtu"]) == (1450, 1450)
    furnished.unplug(vif)
    assert differences(before, furnished.ns.snapshot()) == []


def test_they_stay_until_the_last_vif_has_gone(furnished):
    """The second VIF moves nothing, and the first takes nothing with it."""
    first, second = (vifs.bridge("br0", number=n, bridge_interface="eth9") for n in (1, 2))
    before = furnished.ns.snapshot()
    furnished.plug(first)
    assert furnished.plan(second) == []
    furnished.plug(second)
    plugged = furnished.ns.snapshot()
    furnished.unplug(first)
    assert differences(plugged, furnished.ns.snapshot()) == []
    furnished.unplug(second)
    assert differences(before, furnished.ns.snapshot()) == []


def test_an_address_that_comes_later_is_moved_by_the_next_plug(furnished):
    """A client of DHCP that was told of the interface puts its address there."""
    before = furnished.ns.snapshot()
    vif = vifs.bridge("br0", bridge_interface="eth9")
    furnished.plug(vif)
    furnished.ns.ip("address", "add", "10.9.0.1/24", "dev", "eth9")
    assert furnished.plan(vif) == ["add address 10.9.0.1/24 to br0", "delete address 10.9.0.1/24 from eth9"]
    furnished.plug(vif)
    furnished.unplug(vif)
    furnished.ns.ip("address", "delete", "10.9.0.1/24", "dev", "eth9")
    assert differences(before, furnished.ns.snapshot()) == []
