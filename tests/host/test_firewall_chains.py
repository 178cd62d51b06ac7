# SPDX-License-Identifier: Apache-2.0
"""Chains of our own: written in one go, read cheaply, and nobody else's rules touched."""

from __future__ import annotations

import shlex

import pytest

from os_vif.host.kernel import iptables
from os_vif.host.kernel.iptables import ChainState
from support import require

RULES = ("-i br1 -j ACCEPT", "-o br1 -j ACCEPT", "-o br1 -j DROP")
FOREIGN = (
    "-A FORWARD -s 192.0.2.0/24 -c 12 3400 -j ACCEPT",
    "-N somebody",
    "-A somebody -p tcp -m tcp --dport 22 -m comment --comment 'keep \"this\"' -j DROP",
    "-A INPUT -j somebody",
)


@pytest.fixture(params=["ipv4", "ipv6"])
def family(request):
    """Both families behave alike."""
    require("iptables-restore", "iptables")
    return request.param


def test_a_chain_is_written_with_the_jump_to_it(netns, family):
    """The rules are there in order, FORWARD jumps to them once, and reading gives back what was written."""
    with netns.enter():
        iptables.set_chain(family, "os-vif-br1", RULES)
        state = iptables.read_chain(family, "os-vif-br1")
    assert state == ChainState(RULES, 1)
    assert _rules(netns, family) == [
        ":INPUT ACCEPT",
        ":FORWARD ACCEPT",
        ":OUTPUT ACCEPT",
        ":os-vif-br1 -",
        "-A FORWARD -j os-vif-br1",
        *(f"-A os-vif-br1 {rule}" for rule in RULES),
    ]


def test_writing_again_replaces_the_rules_and_adds_no_jump(netns, family):
    """With the jumps there are told, another one is not added."""
    with netns.enter():
        iptables.set_chain(family, "os-vif-br1", RULES)
        iptables.set_chain(family, "os-vif-br1", RULES[:1], jumps=1)
        assert iptables.read_chain(family, "os-vif-br1") == ChainState(RULES[:1], 1)


def test_the_rules_and_counters_of_others_stay(netns):
    """What others have in the table is the same to the letter, counters included."""
    require("iptables-restore", "iptables")
    for rule in FOREIGN:
        netns.run(["iptables", *shlex.split(rule)])
    before = _table_with_counters(netns)
    with netns.enter():
        iptables.set_chain("ipv4", "os-vif-br1", RULES)
    ours = [line for line in _table_with_counters(netns) if "os-vif-br1" in line]
    assert len(ours) == 5
    assert [line for line in _table_with_counters(netns) if line not in ours] == before
    with netns.enter():
        iptables.delete_chain("ipv4", "os-vif-br1")
    assert _table_with_counters(netns) == before


def test_a_change_by_somebody_else_is_seen(netns, family):
    """Reading is spared only as long as nobody has changed the ruleset."""
    prefix = iptables._PREFIX[family]
    with netns.enter():
        iptables.set_chain(family, "os-vif-br1", RULES)
        assert iptables.read_chain(family, "os-vif-br1") == ChainState(RULES, 1)
        netns.run([prefix, "-D", "FORWARD", "-j", "os-vif-br1"])
        assert iptables.read_chain(family, "os-vif-br1") == ChainState(RULES, 0)
        netns.run([prefix, "-F", "os-vif-br1"])
        assert iptables.read_chain(family, "os-vif-br1") == ChainState((), 0)


def test_an_unchanged_table_is_read_once(netns, family, monkeypatch):
    """While the kernel's generation of the ruleset stays, no process is started to read it."""
    with netns.enter():
        iptables.set_chain(family, "os-vif-br1", RULES)
        first = iptables.read_chain(family, "os-vif-br1")
        monkeypatch.setattr(iptables, "_call", _must_not_be_called)
        assert iptables.read_chain(family, "os-vif-br1") == first


def _must_not_be_called(*arguments):
    raise AssertionError(f"a process was started: {arguments}")


def test_two_namespaces_are_not_mixed_up(new_netns, family):
    """What was read in one namespace is not taken for another's, whatever their generations."""
    one, two = new_netns(), new_netns()
    with one.enter():
        iptables.set_chain(family, "os-vif-br1", RULES)
        assert iptables.read_chain(family, "os-vif-br1") is not None
    with two.enter():
        assert iptables.read_chain(family, "os-vif-br1") is None


@pytest.mark.parametrize("chain", ["FORWARD", "os-vif-", "os-vif-a b", "os-vif-x\n-F FORWARD", "os-vif-" + "x" * 22])
def test_only_chains_of_ours_can_be_written(netns, chain):
    """The privileged side takes no other name, whoever asks."""
    with netns.enter(), pytest.raises(ValueError, match="is not the name of a chain of os-vif"):
        iptables.set_chain("ipv4", chain, RULES)


def test_a_rule_cannot_smuggle_in_a_second_line(netns):
    """A rule is one printable line."""
    with netns.enter(), pytest.raises(ValueError, match="is not a rule"):
        iptables.set_chain("ipv4", "os-vif-br1", ["-j ACCEPT\n-F FORWARD"])


def _rules(netns, family):
    lines = netns.run([f"{iptables._PREFIX[family]}-save", "-t", "filter"]).stdout.splitlines()
    return [line.split(" [")[0] for line in lines if line[0] in ":-"]


def _table_with_counters(netns):
    lines = netns.run(["iptables-save", "-c", "-t", "filter"]).stdout.splitlines()
    return [line for line in lines if not line.startswith("#")]
