# SPDX-License-Identifier: Apache-2.0
"""Ways to cut off guests on a Linux bridge: each is seen by their packets, told by a check, and mended or left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import os_vif
from os_vif import exception
from os_vif.loading import plugins
from os_vif.objects.fixed_ip import FixedIP, FixedIPList
from os_vif.objects.network import Network
from os_vif.objects.subnet import Subnet, SubnetList
from os_vif.plugging import current
from os_vif.plugins.tap import TapPlugin
from support import plugging, require, vifs
from support.parts import require_tun
from support.pinging import comes_to_reach, reaches

ONE, TWO = (vifs.bridge("br0", number=number, mtu=1450) for number in (1, 2))


@dataclass(frozen=True)
class Breakage:
    """``commands`` are run on the host, by a shell. ``code``: of the degradation; "" where the check says "differs"."""

    commands: str
    code: str
    text: str
    mends: str = ""


BREAKAGES = {
    "bridge down": Breakage("ip link set br0 down", "", "not done: bring br0 up"),
    "tap down": Breakage("ip link set tap1 down", "", "not done: bring tap1 up"),
    "tap out of its bridge": Breakage(
        "ip link set tap1 nomaster", "", "not done: set master of tap1 to br0 (was none)"
    ),
    "port disabled": Breakage(
        "bridge link set dev tap1 state 0",
        "port-state",
        "Port tap1 of bridge br0 is disabled: it passes nothing.",
        "bridge link set dev tap1 state 3",
    ),
    "a spanning tree that thinks": Breakage(
        "ip link set br0 type bridge stp_state 1 forward_delay 3000; ip link set tap1 down; ip link set tap1 up",
        "port-state",
        "Port tap1 of bridge br0 is listening: it passes nothing.",
        "ip link set br0 type bridge stp_state 0; ip link set tap1 down; ip link set tap1 up",
    ),
    "ports isolated": Breakage(
        "bridge link set dev tap1 isolated on; bridge link set dev tap2 isolated on",
        "port-isolated",
        "Port tap1 of bridge br0 is isolated: it reaches no other port that is.",
        "bridge link set dev tap1 isolated off; bridge link set dev tap2 isolated off",
    ),
    "port locked": Breakage(
        "bridge link set dev tap1 locked on; ip link set tap1 type bridge_slave fdb_flush",
        "port-locked",
        "Port tap1 of bridge br0 is locked: it passes only what comes from addresses that somebody entered for it.",
        "bridge link set dev tap1 locked off",
    ),
    "no broadcasts": Breakage(
        "bridge link set dev tap1 bcast_flood off",
        "port-not-flooded",
        "Port tap1 of bridge br0 gets no broadcasts: nobody finds the guest by ARP.",
        "bridge link set dev tap1 bcast_flood on",
    ),
    "neither learned nor flooded": Breakage(
        "bridge link set dev tap1 learning off flood off; ip link set tap1 type bridge_slave fdb_flush",
        "port-not-flooded",
        "Port tap1 of bridge br0 neither learns addresses nor is flooded: it gets only what somebody entered for it.",
        "bridge link set dev tap1 learning on flood on",
    ),
    "an earlier DROP": Breakage(
        "iptables -I FORWARD -i br0 -j DROP",
        "forward-drop",
        "Rule 1 of FORWARD (iptables) drops what is for guests of bridge br0: -i br0 -j DROP",
        "iptables -D FORWARD 1",
    ),
    "an earlier REJECT in somebody's chain": Breakage(
        "iptables -N theirs; iptables -A theirs -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT;"
        " iptables -A theirs -m comment --comment 'by us' -j REJECT; iptables -I FORWARD -o br+ -j theirs",
        "forward-drop",
        "Rule 2 of chain theirs, which FORWARD leads to, (iptables) drops what is for guests of bridge br0:"
        ' -m comment --comment "by us" -j REJECT --reject-with icmp-port-unreachable',
        "iptables -F theirs",
    ),
    "a DROP for its port": Breakage(
        "iptables -I FORWARD -m physdev --physdev-in tap1 --physdev-is-bridged -j DROP",
        "forward-drop",
        "Rule 1 of FORWARD (iptables) drops what is for guests of bridge br0:"
        " -m physdev --physdev-in tap1 --physdev-is-bridged -j DROP",
        "iptables -D FORWARD 1",
    ),
    "a DROP by ebtables": Breakage(
        "ebtables -A FORWARD -o tap1 -j DROP",
        "forward-drop",
        "Rule 1 of FORWARD (ebtables) drops what is for guests of bridge br0: -o tap1 -j DROP",
        "ebtables -D FORWARD 1",
    ),
    "the policy of ebtables": Breakage(
        "ebtables -P FORWARD DROP",
        "forward-policy",
        "The policy of FORWARD (ebtables) is DROP, and nothing lets pass what is for guests of bridge br0.",
        "ebtables -P FORWARD ACCEPT",
    ),
}

#: In nftables itself. A chain for what is forwarded, with a rule of its own.
CHAIN = (
    "nft 'add table {0}; add chain {0} f {{ type filter hook forward priority {1}; policy {2}; }}; add rule {0} f {3}'"
)
NATIVE = {
    "a drop": Breakage(
        CHAIN.format("inet theirs", 0, "accept", 'iifname "br0" counter drop'),
        "forward-drop",
        "Rule 2 of chain inet theirs f (nft) drops what is for guests of bridge br0.",
        "nft delete rule inet theirs f handle 2",
    ),
    "a drop for several, by a chain": Breakage(
        "nft 'add table ip theirs; add chain ip theirs c; add rule ip theirs c counter reject';"
        + CHAIN.format("ip theirs", -5, "accept", 'iifname { "br0", "br9" } ip protocol icmp counter; ')
        + '; nft \'add rule ip theirs f iifname { "br*", "eth9" } jump c\'',
        "forward-drop",
        "Rule 2 of chain ip theirs c (nft) drops what is for guests of bridge br0.",
        "nft flush chain ip theirs c",
    ),
    "a policy": Breakage(
        CHAIN.format("inet theirs", 0, "drop", "ct state vmap { established : accept, invalid : drop }"),
        "forward-policy",
        "The policy of chain inet theirs f (nft) is drop, and nothing lets pass what is for guests of bridge br0.",
        'nft insert rule inet theirs f iifname "br0" oifname "br0" accept',
    ),
    "a bridge's": Breakage(
        CHAIN.format("bridge theirs", 0, "accept", 'oifname "tap1" drop'),
        "forward-drop",
        "Rule 2 of chain bridge theirs f (nft) drops what is for guests of bridge br0.",
        "nft delete table bridge theirs",
    ),
}

#: A kernel that has VLAN devices can filter by VLANs, too.
VLANS = {
    "no VLAN": Breakage(
        "ip link set br0 type bridge vlan_filtering 1; bridge vlan del dev tap1 vid 1",
        "vlan-filtered",
        "Bridge br0 filters VLANs, and port tap1 has none for what comes untagged: the guest's frames are dropped.",
        "bridge vlan add dev tap1 vid 1 pvid untagged",
    ),
    "a VLAN of its own": Breakage(
        "ip link set br0 type bridge vlan_filtering 1; bridge vlan del dev tap1 vid 1;"
        " bridge vlan add dev tap1 vid 7 pvid untagged",
        "vlan-filtered",
        "Bridge br0 filters VLANs, and nobody but port tap1 is in VLAN 7: it reaches no other port.",
        "bridge vlan del dev tap1 vid 7; bridge vlan add dev tap1 vid 1 pvid untagged",
    ),
}


@pytest.fixture
def api(new_host, monkeypatch):
    """The public functions, on a host of the test's own."""
    host = new_host()
    os_vif.initialize()
    monkeypatch.setitem(plugins.plugins(), "linux_bridge", host.plugin)
    current.use(host.engine)
    yield host
    current.use(None)


@pytest.fixture
def filtering(api):
    """The host filters what it bridges."""
    if not Path("/proc/sys/net/bridge").exists():
        pytest.skip("br_netfilter is not loaded: modprobe br_netfilter")
    api.ns.run(["sh", "-c", "for f in /proc/sys/net/bridge/bridge-nf-call-ip*; do echo 1 >$f; done"])


@pytest.fixture
def guests(api, guest):
    """Two guests that reach each other."""
    api.plug(ONE, TWO)
    pair = [guest("br0", f"tap{number}", f"10.0.0.{number}/24", mtu=1450) for number in (1, 2)]
    assert reaches(pair[0], "10.0.0.2")
    assert check(api).state == "ok"
    return pair


def check(host, vif=ONE):
    return host.ns.inside(lambda: os_vif.check(vif, vifs.INSTANCE))


def repair(host, vif=ONE):
    return [step.text for step in host.ns.inside(lambda: os_vif.repair(vif, vifs.INSTANCE))]


def forget(guests):
    """What the guests know of one another, and do not ask for again."""
    for one in guests:
        one.ip("neighbour", "flush", "all")


def cut_off(api, guests, breakage):
    api.ns.run(["sh", "-ec", breakage.commands])
    forget(guests)
    assert not reaches(guests[1], "10.0.0.1")
    found = check(api)
    if breakage.code:
        assert [(one.code, one.text) for one in found.degradations] == [(breakage.code, breakage.text)]
        assert (found.state, found.differences, repair(api)) == ("degraded", (), [])
        assert check(api) == found
        api.ns.run(["sh", "-ec", breakage.mends])
    else:
        assert (found.state, found.differences[0], found.repairable) == ("differs", breakage.text, True)
        assert repair(api)
    assert comes_to_reach(guests[1], "10.0.0.1")
    assert check(api).state == "ok"


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_guest_that_is_cut_off_is_not_ok(filtering, api, guests, name):
    """What os-vif made is mended; what is not its own is told, and left."""
    cut_off(api, guests, BREAKAGES[name])


@pytest.mark.parametrize("name", NATIVE)
def test_filters_of_nftables_are_read(filtering, api, guests, name):
    """As Debian's own firewall is made of."""
    require("nft", "nftables")
    cut_off(api, guests, NATIVE[name])


@pytest.mark.parametrize(
    ("policy", "rules"),
    [
        ("accept", ["ct state invalid drop", "tcp dport 25 drop", 'iifname "eth9" drop', "ip6 saddr fd00::/8 drop"]),
        ("accept", ['iifname != "br0" drop', "meta nfproto ipv6 drop", "ct state vmap { invalid : drop }"]),
        ("drop", ['iifname { "br0", "br1" } accept', 'oifname "br0" accept']),
        ("drop", ["meta l4proto icmp accept", "ip daddr 10.0.0.0/24 accept"]),
    ],
)
def test_filters_of_nftables_that_drop_something_else_are_not_told(filtering, api, guests, policy, rules):
    """Nor is what nobody can tell for certain."""
    require("nft", "nftables")
    for rule in rules:
        api.ns.run(["sh", "-ec", CHAIN.format("inet theirs", 0, policy, rule)])
    assert reaches(guests[0], "10.0.0.2")
    assert check(api, _addressed("10.0.0.1")).degradations == ()


@pytest.mark.parametrize("name", VLANS)
def test_a_guest_in_the_wrong_vlan_is_not_ok(vlans, api, guests, name):
    """Where a bridge filters by VLANs, a port has to be in that of its network."""
    cut_off(api, guests, VLANS[name])


def _addressed(address):
    """A VIF whose network tells the guest's address."""
    subnet = Subnet(
        cidr="fd00::/64" if ":" in address else "10.0.0.0/24", ips=FixedIPList(objects=[FixedIP(address=address)])
    )
    return vifs.bridge("br0", mtu=1450, subnets=SubnetList(objects=[subnet]))


def test_a_drop_is_told_for_the_family_that_the_guest_has(filtering, api, guests):
    """Of a guest of which nothing is known, for both."""
    for number, guest in enumerate(guests, 1):
        guest.ip("address", "add", f"fd00::{number}/64", "dev", "eth0", "nodad")
    assert comes_to_reach(guests[1], "fd00::1")
    api.ns.run(["ip6tables", "-I", "FORWARD", "-i", "br0", "-j", "REJECT"])
    assert not reaches(guests[1], "fd00::1")
    assert reaches(guests[1], "10.0.0.1")
    text = (
        "Rule 1 of FORWARD (ip6tables) drops what is for guests of bridge br0:"
        " -i br0 -j REJECT --reject-with icmp6-port-unreachable"
    )
    for vif in (ONE, _addressed("fd00::1")):
        assert [(one.object, one.text) for one in check(api, vif).degradations] == [("ipv6 FORWARD", text)]
    assert check(api, _addressed("10.0.0.1")).state == "ok"
    api.ns.run(["iptables", "-I", "FORWARD", "-s", "10.0.0.1", "-j", "DROP"])
    assert [one.object for one in check(api, _addressed("10.0.0.1")).degradations] == ["ipv4 FORWARD"]


def test_without_rules_of_ours_a_policy_of_drop_is_told(filtering, api, guest):
    """Whoever filters the guest's traffic has to let it pass himself."""
    pair = [vifs.bridge("br0", number=number, filtering=True) for number in (1, 2)]
    api.plug(*pair)
    one, _ = (guest("br0", f"tap{number}", f"10.0.0.{number}/24") for number in (1, 2))
    assert reaches(one, "10.0.0.2")
    assert check(api, pair[0]).state == "ok"
    api.ns.run(["iptables", "-P", "FORWARD", "DROP"])
    assert not reaches(one, "10.0.0.2")
    (found,) = check(api, pair[0]).degradations
    assert (found.code, found.object) == ("forward-policy", "ipv4 FORWARD")
    assert found.text == (
        "The policy of FORWARD (iptables) is DROP, and nothing lets pass what is for guests of bridge br0."
    )
    api.ns.run(["iptables", "-I", "FORWARD", "-m", "physdev", "--physdev-is-bridged", "-j", "ACCEPT"])
    assert comes_to_reach(one, "10.0.0.2")
    assert check(api, pair[0]).state == "ok"


@pytest.mark.parametrize(
    "rules",
    [
        ["-m conntrack --ctstate INVALID -j DROP", "-p tcp --dport 25 -j REJECT", "-i eth9 -j DROP"],
        ["", "-d 192.0.2.0/24 -j DROP", "! -i br0 -m comment --comment '-j DROP' -j DROP"],
        ["-i br0 -j ACCEPT", "-o br0 -m limit --limit 5/sec -j ACCEPT", "-o br0 -j DROP"],
    ],
)
def test_rules_that_drop_something_else_are_not_told(filtering, api, guests, rules):
    """Nor is what nobody can tell for certain."""
    for rule in reversed(rules):
        api.ns.run(["sh", "-ec", f"iptables -I FORWARD {rule}"])
    assert reaches(guests[0], "10.0.0.2")
    assert check(api).degradations == ()


def test_what_the_host_routes_for_guests_is_looked_at_where_it_does(api, guests):
    """Bridged packets do not pass iptables here; those that the host forwards do."""
    api.ns.run(["sh", "-c", "for f in /proc/sys/net/bridge/bridge-nf-call-ip*; do echo 0 >$f; done"], check=False)
    api.ns.run(["iptables", "-I", "FORWARD", "-i", "br0", "-j", "DROP"])
    assert reaches(guests[0], "10.0.0.2")
    assert check(api).state == "ok"
    api.ns.ip("address", "add", "10.0.0.254/24", "dev", "br0")
    api.ns.run(["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])
    assert [one.code for one in check(api).degradations] == ["forward-drop"]


def test_an_uplink_without_carrier_is_told(api, wire, guest, new_netns):
    """Nobody pulled it out of the bridge: there is nothing to repair here."""
    outside = new_netns()
    api.ns.ip("link", "set", "wire", "netns", outside.name)
    outside.ip("address", "add", "10.0.0.9/24", "dev", "wire")
    outside.ip("link", "set", "wire", "up")
    vif = vifs.bridge("br0", bridge_interface=wire)
    api.plug(vif)
    one = guest("br0", "tap1", "10.0.0.1/24")
    assert comes_to_reach(one, "10.0.0.9")
    assert check(api, vif).state == "ok"
    outside.ip("link", "set", "wire", "down")
    assert not reaches(one, "10.0.0.9")
    found = check(api, vif)
    assert (found.state, [(f.code, f.text) for f in found.degradations]) == (
        "degraded",
        [("no-carrier", "eth9, which leads bridge br0 out, has no carrier.")],
    )
    outside.ip("link", "set", "wire", "up")
    assert comes_to_reach(one, "10.0.0.9")
    assert check(api, vif).state == "ok"


def in_vlan(api, new_netns):
    """A machine in VLAN 7 of the wire that leads to eth9."""
    machine = new_netns()
    api.ns.ip("link", "add", "link", "wire", "name", "wire.7", "type", "vlan", "id", "7")
    api.ns.ip("link", "set", "wire.7", "netns", machine.name)
    machine.ip("address", "add", "10.0.0.7/24", "dev", "wire.7")
    machine.ip("link", "set", "wire.7", "up")


def test_an_interface_below_a_vlan_device_of_ours_is_brought_up(vlans, api, wire, guest, new_netns):
    """A plug would bring it up, too."""
    in_vlan(api, new_netns)
    vif = vifs.bridge("br0", should_provide_vlan=True, vlan=7, bridge_interface="eth9")
    api.plug(vif)
    one = guest("br0", "tap1", "10.0.0.1/24")
    assert comes_to_reach(one, "10.0.0.7")
    assert check(api, vif).state == "ok"
    api.ns.ip("link", "set", "eth9", "down")
    assert not reaches(one, "10.0.0.7")
    found = check(api, vif)
    assert found.differences == ("not done: bring eth9 up", "not done: bring vlan7 up")
    text = "eth9 is down: vlan7, which leads bridge br0 out, gets nothing through it."
    assert [(one.code, one.text) for one in found.degradations] == [("parent-down", text)]
    assert repair(api, vif)
    assert comes_to_reach(one, "10.0.0.7")
    assert check(api, vif).state == "ok"


def test_an_interface_below_a_vlan_device_of_somebody_is_told_and_left(vlans, api, wire, guest, new_netns):
    """What leads the bridge out gets nothing through it."""
    in_vlan(api, new_netns)
    api.ns.ip("link", "add", "link", "eth9", "name", "theirs", "type", "vlan", "id", "7")
    api.ns.ip("link", "set", "theirs", "up")
    vif = vifs.bridge("br0", bridge_interface="theirs")
    api.plug(vif)
    one = guest("br0", "tap1", "10.0.0.1/24")
    assert comes_to_reach(one, "10.0.0.7")
    api.ns.ip("link", "set", "eth9", "down")
    assert not reaches(one, "10.0.0.7")
    found = check(api, vif)
    text = "eth9 is down: theirs, which leads bridge br0 out, gets nothing through it."
    assert [(one.code, one.text) for one in found.degradations] == [("parent-down", text)]
    with pytest.raises(exception.PlugException, match=r"Could not bring theirs up .*: Network is down"):
        repair(api, vif)
    api.ns.ip("link", "set", "eth9", "up")
    assert comes_to_reach(one, "10.0.0.7")
    assert check(api, vif).state == "ok"


def test_a_bridge_of_somebody_that_is_down_is_told_and_left(api, guest, monkeypatch):
    """It may be down for a reason."""
    require_tun()
    monkeypatch.setitem(plugins.plugins(), "tap", plugging.configured(TapPlugin))
    vif = vifs.generic(network=Network(bridge="br0", mtu=1500))
    api.ns.ip("link", "add", "br0", "type", "bridge")
    api.ns.inside(lambda: os_vif.plug(vif, vifs.INSTANCE))
    text = "Bridge br0, which os-vif did not make, is down: it passes nothing."
    found = check(api, vif)
    assert [(one.code, one.text) for one in found.degradations] == [("bridge-down", text)]
    assert (found.state, repair(api, vif)) == ("degraded", [])
    assert "UP" not in api.ns.link("br0")["flags"]
    api.ns.ip("link", "set", "br0", "up")
    assert check(api, vif).state == "ok"
