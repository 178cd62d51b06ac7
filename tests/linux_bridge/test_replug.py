# SPDX-License-Identifier: Apache-2.0
"""Plugging what is plugged writes nothing, and what was changed behind our back is put right."""

from __future__ import annotations

import pytest

from os_vif.plugins.linux_bridge import LinuxBridgePlugin
from support import differences, plugging, vifs


@pytest.fixture
def plugged(new_host, wire):
    """A VIF with everything that one can have, but for a VLAN."""
    host = new_host(use_ipv6=True)
    host.ns.ip("address", "add", "10.1.0.5/24", "dev", wire)
    host.ns.ip("route", "add", "default", "via", "10.1.0.1")
    host.vif = vifs.bridge("br0", bridge_interface=wire, mtu=1450)
    host.plug(host.vif)
    return host


def test_plugging_again_writes_nothing(plugged):
    """Not one notification of rtnetlink or nftables, from this process or from another that finds the journal."""
    with plugged.ns.monitor() as monitor:
        plugged.plug(plugged.vif)
    assert monitor.events == []


def test_another_process_writes_nothing_either(plugged, tmp_path):
    """What was plugged is known from the journal and seen on the host."""
    other = plugging.PlugHost(plugged.ns, tmp_path, plugging.configured(LinuxBridgePlugin, use_ipv6=True))
    with plugged.ns.monitor() as monitor:
        other.plug(plugged.vif)
    assert monitor.events == []


def test_counters_of_rules_live_on(plugged):
    """Packets and bytes that iptables has counted are not reset by plugging again."""
    counted = ["iptables", "-t", "filter", "-S", "FORWARD", "-v"]
    plugged.ns.run(["iptables", "-Z", "FORWARD"])
    plugged.ns.run(["iptables", "-R", "FORWARD", "1", "-j", "os-vif-br0", "-c", "7", "700"])
    before = plugged.ns.run(counted).stdout
    assert "-c 7 700" in before
    plugged.plug(plugged.vif)
    assert plugged.ns.run(counted).stdout == before


@pytest.mark.parametrize(
    ("damage", "steps"),
    [
        (
            # without ports, the kernel gives a bridge its own idea of an MTU
            [["ip", "link", "set", "eth9", "nomaster"]],
            ["set master of eth9 to br0 (was none)", "set mtu of br0 to 1450 (was 1500)"],
        ),
        (
            [["ip", "link", "set", "br0", "down"]],
            ["bring br0 up", "add route default to br0"],
        ),
        (
            [["ip", "link", "set", "br0", "mtu", "1400"]],
            ["set mtu of br0 to 1450 (was 1400)"],
        ),
        (
            # as the host had it on eth9: its addresses are here now
            [["sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/br0/arp_ignore"]],
            ["set sysctl ipv4/arp_ignore of br0 to 0 (was 1)"],
        ),
        (
            [["ip", "link", "set", "br0", "address", "02:00:00:00:00:77"]],
            ["set mac of br0 to 02:00:00:00:00:09 (was 02:00:00:00:00:77)"],
        ),
        (
            [["iptables", "-F", "os-vif-br0"]],
            ["write 2 forwarding rules into ipv4 chain os-vif-br0"],
        ),
        (
            [["iptables", "-D", "FORWARD", "-j", "os-vif-br0"]],
            ["write 2 forwarding rules into ipv4 chain os-vif-br0"],
        ),
        (
            [["ip6tables", "-D", "os-vif-br0", "1"]],
            ["write 2 forwarding rules into ipv6 chain os-vif-br0"],
        ),
        (
            [["ip", "address", "del", "10.1.0.5/24", "dev", "br0"]],
            ["add address 10.1.0.5/24 to br0", "add route default to br0"],
        ),
    ],
)
def test_damage_is_repaired_and_nothing_else(plugged, damage, steps):
    """The plan holds just what is missing; after it, the host is as it was."""
    whole = plugged.ns.snapshot()
    for command in damage:
        plugged.ns.run(command)
    assert plugged.plan(plugged.vif) == steps
    plugged.plug(plugged.vif)
    assert differences(whole, plugged.ns.snapshot()) == []


def test_a_new_mtu_is_set_on_the_interface_first(plugged):
    """A bridge cannot carry more than its ports: the interface first, then the bridge, up and down alike."""
    for mtu, old in ((1400, 1450), (1480, 1400)):
        vif = vifs.bridge("br0", bridge_interface="eth9", mtu=mtu)
        assert plugged.plan(vif) == [f"set mtu of {name} to {mtu} (was {old})" for name in ("eth9", "br0")]
        plugged.plug(vif)
        assert [plugged.ns.link(name)["mtu"] for name in ("eth9", "br0")] == [mtu, mtu]


def test_an_mtu_that_changed_twice_goes_back_to_the_first(plugged):
    """What was there before os-vif came is remembered from the first plug on."""
    plugged.plug(vifs.bridge("br0", bridge_interface="eth9", mtu=1400))
    plugged.unplug(plugged.vif)
    assert plugged.ns.link("eth9")["mtu"] == 1500


def test_options_that_changed_are_followed(plugged, tmp_path):
    """With IPv6 rules switched off, the next plug takes them away; with other interfaces, it writes others."""
    options = {"forward_bridge_interface": ["eth5"], "use_ipv6": False}
    changed = plugging.PlugHost(plugged.ns, tmp_path, plugging.configured(LinuxBridgePlugin, **options))
    changed.plug(plugged.vif)
    saved = plugged.ns.run(["ip6tables-save", "-t", "filter"]).stdout
    assert "os-vif" not in saved
    assert plugged.ns.run(["iptables", "-S", "os-vif-br0"]).stdout.splitlines() == [
        "-N os-vif-br0",
        "-A os-vif-br0 -i br0 -o eth5 -j ACCEPT",
        "-A os-vif-br0 -i eth5 -o br0 -j ACCEPT",
        "-A os-vif-br0 -i br0 -o br0 -j ACCEPT",
        "-A os-vif-br0 -i br0 -j DROP",
        "-A os-vif-br0 -o br0 -j DROP",
    ]
