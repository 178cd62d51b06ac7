# SPDX-License-Identifier: Apache-2.0
"""Forwarding rules live in chains of our own; those of others are not rewritten."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from os_vif.host.kernel import iptables
from support import differences, vifs

THEIRS = (
    ["-A", "INPUT", "-s", "192.0.2.0/24", "-m", "comment", "--comment", "it's theirs", "-j", "DROP"],
    ["-A", "FORWARD", "-i", "lo", "-j", "ACCEPT"],
    ["-A", "FORWARD", "-i", "other", "-j", "LOG", "--log-prefix", "theirs "],
    ["-N", "theirs"],
    ["-A", "theirs", "-p", "tcp", "--dport", "22", "-j", "REJECT"],
    ["-A", "FORWARD", "-j", "theirs"],
)


@pytest.fixture
def theirs(netns):
    """Rules of somebody else, with counters."""
    for rule in THEIRS:
        netns.run(["iptables", *rule])
    netns.run(["iptables", "-R", "FORWARD", "1", "-i", "lo", "-j", "ACCEPT", "-c", "7", "700"])
    netns.run(["iptables", "-t", "nat", "-A", "POSTROUTING", "-s", "10.0.0.0/24", "-j", "MASQUERADE"])


def rules(namespace, *options):
    """With their counters; those of the policies count what the host itself sends, too (IGMP for a new bridge)."""
    lines = namespace.run(["iptables-save", "-c", *options]).stdout.splitlines()
    kept = [line for line in lines if line.startswith(("[", ":", "*")) and "os-vif" not in line]
    return [line.partition(" [")[0] if line.startswith(":") else line for line in kept]


def test_rules_of_others_and_their_counters_are_left_alone(host, theirs):
    """In all tables, before, while and after a VIF is plugged, to the counter."""
    before = rules(host.ns)
    vif = vifs.bridge("br0")
    host.plug(vif)
    while_plugged = rules(host.ns)
    host.unplug(vif)
    assert (while_plugged, rules(host.ns)) == (before, before)


def test_a_rule_of_others_that_only_counts_is_left_alone(host):
    """It has neither conditions nor a target."""
    host.ns.run(["iptables", "-A", "FORWARD"])
    vif = vifs.bridge("br0")
    host.plug(vif)
    assert host.plan(vif) == []
    host.unplug(vif)
    assert host.ns.run(["iptables", "-S", "FORWARD"]).stdout == "-P FORWARD ACCEPT\n-A FORWARD\n"


def test_each_bridge_has_a_chain_that_forward_jumps_to(host, theirs):
    """Above what was there, as in os-vif 4.3.0; each bridge's own goes with it."""
    first, second = vifs.bridge("br0", number=1), vifs.bridge("br1", number=2)
    host.plug(first, second)
    forward = host.ns.run(["iptables", "-S", "FORWARD"]).stdout.splitlines()
    assert forward == [
        "-P FORWARD ACCEPT",
        "-A FORWARD -j os-vif-br1",
        "-A FORWARD -j os-vif-br0",
        "-A FORWARD -i lo -j ACCEPT",
        '-A FORWARD -i other -j LOG --log-prefix "theirs "',
        "-A FORWARD -j theirs",
    ]
    host.unplug(first)
    assert "os-vif-br0" not in host.ns.run(["iptables-save"]).stdout
    assert host.ns.run(["iptables", "-S", "os-vif-br1"]).stdout.splitlines() == [
        "-N os-vif-br1",
        "-A os-vif-br1 -i br1 -j ACCEPT",
        "-A os-vif-br1 -o br1 -j ACCEPT",
    ]


def test_rules_named_by_iptables_top_regex_stay_on_top(new_host, theirs):
    """The jump goes below the last one that matches; os-vif 4.3.0 moved the matching ones up instead."""
    host = new_host(iptables_top_regex="-i (lo|other) ", iptables_bottom_regex="-j theirs")
    vif = vifs.bridge("br0")
    host.plug(vif)
    assert host.ns.run(["iptables", "-S", "FORWARD"]).stdout.splitlines() == [
        "-P FORWARD ACCEPT",
        "-A FORWARD -i lo -j ACCEPT",
        '-A FORWARD -i other -j LOG --log-prefix "theirs "',
        "-A FORWARD -j os-vif-br0",
        "-A FORWARD -j theirs",
    ]
    assert host.plan(vif) == []


def test_no_rules_where_the_network_side_filters(host):
    """has_traffic_filtering: whoever says so looks after the rules."""
    host.plug(vifs.bridge("br0", filtering=True))
    assert "os-vif" not in host.ns.run(["iptables-save"]).stdout


def test_ipv6_has_the_same_rules(host):
    """os-vif 4.3.0 made its IPv6 chains with use_ipv6 set, and left them empty. Unplugging removes both families'."""
    before = host.ns.snapshot()
    vif = vifs.bridge("br0")
    host.plug(vif)
    assert host.ns.run(["ip6tables", "-S"]).stdout.splitlines() == [
        "-P INPUT ACCEPT",
        "-P FORWARD ACCEPT",
        "-P OUTPUT ACCEPT",
        "-N os-vif-br0",
        "-A FORWARD -j os-vif-br0",
        "-A os-vif-br0 -i br0 -j ACCEPT",
        "-A os-vif-br0 -o br0 -j ACCEPT",
    ]
    assert [step.text for step in host.unplug(vif).steps if step.backend == "firewall"] == [
        "delete ipv6 chain os-vif-br0",
        "delete ipv4 chain os-vif-br0",
    ]
    assert differences(before, host.ns.snapshot()) == []


def test_with_use_ipv6_switched_off_the_ipv6_rules_are_not_looked_at(new_host):
    """Not even an empty table comes into being."""
    host = new_host(use_ipv6=False)
    host.plug(vifs.bridge("br0"))
    assert host.ns.run(["ip6tables-save"]).stdout == ""


@pytest.fixture
def without_ip6tables(monkeypatch, tmp_path):
    """The tools of iptables, and not those of ip6tables."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("iptables-save", "iptables-restore"):
        (tools / name).symlink_to(shutil.which(name, path=iptables.SEARCH_PATH))
    monkeypatch.setattr(iptables, "SEARCH_PATH", str(tools))
    return tools


def test_where_there_is_no_ip6tables_a_bridge_does_without_its_rules(host, without_ip6tables):
    """Nothing is missing then, plugged again or unplugged; once it is installed, the next plug writes them."""
    before, vif = host.ns.snapshot(), vifs.bridge("br0")
    host.plug(vif)
    assert host.plan(vif) == []
    for name in ("ip6tables-save", "ip6tables-restore"):
        (without_ip6tables / name).symlink_to(shutil.which(name))
    assert host.plan(vif) == ["write 2 forwarding rules into ipv6 chain os-vif-br0"]
    for name in ("ip6tables-save", "ip6tables-restore"):
        (without_ip6tables / name).unlink()
    host.unplug(vif)
    assert differences(before, host.ns.snapshot()) == []


def test_plugging_again_starts_no_process(host, monkeypatch):
    """In neither family."""
    vif = vifs.bridge("br0")
    host.plug(vif)
    with monkeypatch.context() as watched:
        watched.setattr(subprocess, "Popen", _must_not_be_called)
        host.plug(vif)
        assert host.plan(vif) == []


def _must_not_be_called(*arguments, **_):
    raise AssertionError(f"a process was started: {arguments}")


def test_a_target_that_iptables_completes_is_recognized(new_host):
    """REJECT comes back as "REJECT --reject-with ...": that is no difference, and nothing is written again."""
    host = new_host(forward_bridge_interface=["eth9"], iptables_drop_action="REJECT")
    vif = vifs.bridge("br0")
    host.plug(vif)
    assert host.plan(vif) == []


def test_a_target_that_iptables_does_not_know_is_told_in_its_words(new_host):
    """The host is as it was: the bridge, made before, is gone again."""
    host = new_host(forward_bridge_interface=["eth9"], iptables_drop_action="VANISH")
    before = host.ns.snapshot()
    with pytest.raises(Exception, match="VANISH") as caught:
        host.plug(vifs.bridge("br0"))
    assert str(caught.value).startswith(
        f"Could not write 5 forwarding rules into ipv4 chain os-vif-br0 (device os-vif-br0, VIF {vifs.identity(1)}):"
        " iptables-restore: "
    )
    assert differences(before, host.ns.snapshot()) == []
