# SPDX-License-Identifier: Apache-2.0
"""Interfaces of namespaces on a Linux bridge: what is there after attaching, and that nothing is after detaching."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from os_vif import exception
from support import differences


def test_guests_on_a_bridge_reach_each_other(host, new_netns, bridged, guest_in):
    """Both addresses are in force as soon as attach() returns, and so is the MTU, end to end."""
    one, two = new_netns(), new_netns()
    host.attach(bridged(1), guest_in(one))
    host.attach(bridged(2), guest_in(two))
    one.run(["ping", "-c1", "-W5", "-Mdo", "-s1422", "10.0.0.2"])


def test_both_ends_are_as_the_vif_says(host, new_netns, bridged, guest_in):
    """The guest's with MAC, MTU, addresses and routes; the host's in the bridge, without host IP, named vif_name."""
    inside = new_netns()
    both = [
        bridged.subnet(1, routes=[("192.0.2.0/24", "10.0.0.253")]),
        bridged.subnet(1, cidr="fd00::/64", gateway="fd00::ff", address="fd00::1"),
    ]
    host.attach(bridged(1, subnets=both), guest_in(inside))
    near, far = host.ns.link("tap1"), inside.link("eth0")
    assert (near["master"], near["mtu"], "UP" in near["flags"]) == ("br0", 1450, True)
    assert (far["address"], far["mtu"], "UP" in far["flags"]) == ("52:54:00:00:00:01", 1450, True)
    sysctls = host.ns.snapshot()["sysctls"]
    assert (sysctls["ipv6/tap1"]["disable_ipv6"], sysctls["ipv4/tap1"]["arp_ignore"]) == ("1", "1")
    addresses = inside.ip_json("addr", "show", "eth0", "scope", "global")[0]["addr_info"]
    found = [(address["local"], address["prefixlen"]) for address in addresses if address]
    assert found == [("10.0.0.1", 24), ("fd00::1", 64)]
    routes = [*inside.ip_json("-4", "route", "show"), *inside.ip_json("-6", "route", "show", "default")]
    assert {(r["dst"], r.get("gateway")) for r in routes} == {
        ("default", "10.0.0.254"),
        ("default", "fd00::ff"),
        ("192.0.2.0/24", "10.0.0.253"),
        ("10.0.0.0/24", None),
    }


def test_attaching_again_writes_nothing(host, new_netns, bridged, guest_in):
    """Neither on the host nor inside."""
    inside = new_netns()
    host.attach(bridged(1), guest_in(inside))
    with host.ns.monitor() as on_the_host, inside.monitor() as in_the_guest:
        host.attach(bridged(1), guest_in(inside))
    assert on_the_host.events == in_the_guest.events == []


def test_attaching_again_mends(host, new_netns, bridged, guest_in):
    """What somebody changed, on both ends."""
    inside = new_netns()
    host.attach(bridged(1), guest_in(inside))
    before = host.ns.snapshot(), inside.snapshot()
    host.ns.ip("link", "set", "tap1", "nomaster", "down")
    inside.ip("address", "flush", "dev", "eth0", "scope", "global")
    inside.ip("link", "set", "eth0", "mtu", "1400")
    host.attach(bridged(1), guest_in(inside))
    assert differences(before[0], host.ns.snapshot()) == []
    assert differences(before[1], inside.snapshot()) == []


def test_detaching_leaves_nothing(host, new_netns, bridged, guest_in):
    """And detaching again does nothing."""
    inside = new_netns()
    before = host.ns.snapshot(), inside.snapshot()
    host.attach(bridged(1), guest_in(inside))
    for _ in range(2):
        host.detach(bridged(1), guest_in(inside))
        assert differences(before[0], host.ns.snapshot()) == []
        assert differences(before[1], inside.snapshot()) == []


def test_a_guest_has_several_interfaces(host, new_netns, bridged, guest_in):
    """Named in order, or as asked; the default route of the first is preferred."""
    inside = new_netns()
    host.attach(bridged(1), guest_in(inside))
    host.attach(
        bridged(2, subnets=[bridged.subnet(2, cidr="10.2.0.0/24", gateway="10.2.0.254", address="10.2.0.2")]),
        guest_in(inside),
    )
    host.attach(bridged(3), guest_in(inside, ifname="lan7"))
    assert inside.link_names() == {"eth0", "eth1", "lan7"}
    assert inside.ip_json("route", "get", "198.51.100.1")[0]["gateway"] == "10.0.0.254"
    host.detach(bridged(2), guest_in(inside))
    assert inside.link_names() == {"eth0", "lan7"}


def test_a_namespace_is_made_for_a_guest_that_has_none(host, homeless, bridged):
    """With `lo` up; it goes with the last interface."""
    host.attach(bridged(1), homeless)
    host.attach(bridged(2), homeless)
    links = host.ns.run(["ip", "-n", homeless.name, "-br", "link", "show", "up"]).stdout
    assert {"lo", "eth0", "eth1"} <= {line.split("@")[0].split()[0] for line in links.splitlines()}
    host.detach(bridged(1), homeless)
    assert homeless.name in host.ns.run(["ip", "netns", "list"]).stdout
    host.detach(bridged(2), homeless)
    assert homeless.name not in host.ns.run(["ip", "netns", "list"]).stdout


def test_a_namespace_in_which_somebody_runs_stays(host, homeless, bridged):
    """Or else he could never be given an interface again."""
    host.attach(bridged(1), homeless)
    with host.ns.popen(["ip", "netns", "exec", homeless.name, "sh", "-c", "echo; exec sleep 60"], stdout=-1) as runs:
        runs.stdout.readline()
        host.detach(bridged(1), homeless)
        runs.kill()
    assert homeless.name in host.ns.run(["ip", "netns", "list"]).stdout
    host.attach(bridged(1), homeless)
    host.detach(bridged(1), homeless)
    assert homeless.name not in host.ns.run(["ip", "netns", "list"]).stdout


def test_a_name_that_leads_nowhere_is_taken_over(host, homeless, bridged):
    """It is left where the mount that it stood for is gone; there is no guest, and there can be one."""
    path = Path("/run/netns") / homeless.name
    path.touch()
    host.detach(bridged(1), homeless)
    host.attach(bridged(1), homeless)
    assert "eth0" in host.ns.run(["ip", "-n", homeless.name, "-br", "link"]).stdout
    host.detach(bridged(1), homeless)
    assert not path.exists()


def test_interfaces_that_come_at_once_get_names_of_their_own(host, new_netns, bridged, guest_in):
    """Eight threads, one namespace."""
    inside = new_netns()
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(host.attach, bridged(number), guest_in(inside)) for number in range(1, 9)]:
            done.result()
    assert inside.link_names() == {f"eth{number}" for number in range(8)}


def test_a_guest_that_is_gone_has_let_go(host, new_netns, bridged, guest_in):
    """The kernel removes a veth with the namespace of either end."""
    inside = new_netns()
    host.attach(bridged(1), guest_in(inside))
    inside.close()
    host.detach(bridged(1), guest_in(inside))
    with pytest.raises(exception.GuestNotFound) as caught:
        host.attach(bridged(1), guest_in(inside))
    assert str(caught.value) == f"netns has no guest guest: there is no network namespace {inside.name}."
