# SPDX-License-Identifier: Apache-2.0
"""Guests of a plugged bridge reach each other, and what is outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import vifs
from support.pinging import reaches


def test_guests_of_one_bridge_reach_each_other(host, guest):
    """Two VIFs, two guests, one network: packets of the full MTU go both ways, larger ones do not."""
    first, second = vifs.bridge("br0", number=1, mtu=1450), vifs.bridge("br0", number=2, mtu=1450)
    host.plug(first)
    host.plug(second)
    one = guest("br0", "tap1", "10.0.0.1/24", mtu=1450)
    two = guest("br0", "tap2", "10.0.0.2/24", mtu=1450)
    assert reaches(one, "10.0.0.2")
    assert reaches(two, "10.0.0.1")
    assert reaches(one, "10.0.0.2", "-M", "do", "-s", str(1450 - 28))
    assert not reaches(one, "10.0.0.2", "-M", "do", "-s", str(1450 - 27))
    assert host.ns.link("br0")["mtu"] == 1450


def test_the_host_answers_no_arp_on_the_bridge_and_has_no_ipv6_there(host, guest):
    """What Launchpad bug 1825888 tells of: a guest must not find the host where it has no business."""
    host.ns.ip("address", "add", "192.0.2.1/32", "dev", "lo")
    host.plug(vifs.bridge("br0"))
    one = guest("br0", "tap1", "192.0.2.2/24")
    assert not reaches(one, "192.0.2.1")
    assert host.ns.ip_json("-6", "address", "show", "dev", "br0") in ([], [{}])


def test_a_guest_reaches_what_is_behind_the_interface(host, wire, guest, new_netns):
    """The interface is a port of the bridge: a machine on its wire, and a guest, are on one network."""
    outside = new_netns()
    host.ns.ip("link", "set", "wire", "netns", outside.name)
    outside.ip("address", "add", "10.0.0.9/24", "dev", "wire")
    outside.ip("link", "set", "wire", "up")
    host.plug(vifs.bridge("br0", bridge_interface=wire))
    one = guest("br0", "tap1", "10.0.0.1/24")
    assert reaches(one, "10.0.0.9")


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("use_ipv6", [True, False])
def test_guests_reach_each_other_where_the_host_drops_what_it_forwards(new_host, guest, family, use_ipv6):
    """As Docker has it in both families; bridged packets pass there once br_netfilter is loaded."""
    if not Path("/proc/sys/net/bridge").exists():
        pytest.skip("br_netfilter is not loaded: modprobe br_netfilter")
    host = new_host(use_ipv6=use_ipv6)
    host.ns.run(["sh", "-c", "for f in /proc/sys/net/bridge/bridge-nf-call-ip*; do echo 1 >$f; done"])
    for command in ("iptables", "ip6tables"):
        host.ns.run([command, "-P", "FORWARD", "DROP"])
    host.plug(vifs.bridge("br0"))
    one = guest("br0", "tap1", "10.0.0.1/24")
    two = guest("br0", "tap2", "10.0.0.2/24")
    for other, address in ((one, "fd00::1/64"), (two, "fd00::2/64")):
        other.ip("address", "add", address, "dev", "eth0", "nodad")
    assert reaches(one, "10.0.0.2" if family == 4 else "fd00::2") is (family == 4 or use_ipv6)


def test_the_hosts_connections_live_on_when_its_addresses_move(host, wire, new_netns):
    """The host is reached under its address before, while and after a VIF uses the interface it is on."""
    outside = new_netns()
    host.ns.ip("link", "set", "wire", "netns", outside.name)
    outside.ip("address", "add", "10.0.0.9/24", "dev", "wire")
    outside.ip("link", "set", "wire", "up")
    host.ns.ip("address", "add", "10.0.0.8/24", "dev", wire)
    vif = vifs.bridge("br0", bridge_interface=wire)
    before = reaches(outside, "10.0.0.8")
    host.plug(vif)
    while_plugged = reaches(outside, "10.0.0.8")
    host.unplug(vif)
    assert (before, while_plugged, reaches(outside, "10.0.0.8")) == (True, True, True)


@pytest.mark.parametrize(
    ("options", "arrives"),
    [({}, True), ({"forward_bridge_interface": ["br0", "br1"]}, True), ({"forward_bridge_interface": ["eth9"]}, False)],
)
def test_what_is_routed_between_bridges_obeys_the_rules(new_host, guest, options, arrives):
    """On a host that forwards nothing by default, guests of two bridges reach each other just as the options say."""
    host = new_host(**options)
    host.ns.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])
    host.ns.run(["iptables", "-P", "FORWARD", "DROP"])
    host.plug(vifs.bridge("br0", number=1), vifs.bridge("br1", number=2))
    for number in (0, 1):
        host.ns.ip("address", "add", f"10.0.{number}.254/24", "dev", f"br{number}")
    one = guest("br0", "tap1", "10.0.0.1/24")
    two = guest("br1", "tap2", "10.0.1.1/24")
    one.ip("route", "add", "default", "via", "10.0.0.254")
    two.ip("route", "add", "default", "via", "10.0.1.254")
    assert reaches(one, "10.0.1.1") is arrives
