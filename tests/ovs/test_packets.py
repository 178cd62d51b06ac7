# SPDX-License-Identifier: Apache-2.0
"""Guests of plugged VIFs reach each other through br-int; and who adopts a VIF does not cut its wire."""

from __future__ import annotations

import re
import signal
import subprocess

import pytest

from support import differences, ovs_vifs
from support.pinging import reaches

MADE = {"create_port": True}


def joined(kind, guest, number, address):
    """The VIF of a guest that its hypervisor has connected."""
    vif = ovs_vifs.hybrid(number=number) if kind == "hybrid" else ovs_vifs.native(number=number, **MADE)
    bridge = vif.bridge_name if kind == "hybrid" else ""
    return vif, lambda: guest(bridge, vif.vif_name, address)


@pytest.mark.parametrize("kinds", [("hybrid", "hybrid"), ("native", "native"), ("hybrid", "native")], ids="-".join)
def test_guests_reach_each_other(switch, host, guest, kinds):
    """Both ways, with packets of the network's full MTU, and no larger ones."""
    (one, join_one), (two, join_two) = (
        joined(kind, guest, number, f"10.0.0.{number}/24") for number, kind in enumerate(kinds, 1)
    )
    host.plug(one, two)
    first, second = join_one(), join_two()
    switch.settle()
    assert reaches(first, "10.0.0.2")
    assert reaches(second, "10.0.0.1")
    assert reaches(first, "10.0.0.2", "-M", "do", "-s", str(1450 - 28))
    assert not reaches(first, "10.0.0.2", "-M", "do", "-s", str(1450 - 27))


def test_a_guest_with_a_bridge_of_its_own(switch, new_host, guest):
    """Through the patch ports, to a guest that has none."""
    (one, join_one), (two, join_two) = (joined("native", guest, number, f"10.0.0.{number}/24") for number in (1, 2))
    new_host(per_port_bridge=True).plug(one)
    new_host().plug(two)
    first, _ = join_one(), join_two()
    switch.settle()
    assert reaches(first, "10.0.0.2")


def test_isolated_guests_reach_nobody_until_the_agent_lets_them(switch, new_host, guest):
    """In the dead VLAN that Neutron's agent drops, and after it has set the VLAN of the network."""
    pair = [joined("native", guest, number, f"10.0.0.{number}/24") for number in (1, 2)]
    host = new_host(isolate_vif=True)
    host.plug(pair[0][0])
    new_host().plug(pair[1][0])
    first, _ = (join() for _, join in pair)
    switch.settle()
    assert not reaches(first, "10.0.0.2", "-W", "1")
    tap = ovs_vifs.tap()
    switch.vsctl("clear", "Port", tap, "vlan_mode", "trunks", "tag")
    assert reaches(first, "10.0.0.2")


class Ping:
    """One that runs meanwhile, a packet every 20 ms."""

    def __init__(self, guest, address):
        self._process = guest.popen(["ping", "-n", "-i", "0.02", "-W", "1", address], stdout=subprocess.PIPE)
        self._process.stdout.readline()
        assert "bytes from" in self._process.stdout.readline()

    def lost(self):
        """How many packets have had no answer, of at least as many as it takes to tell."""
        self._process.send_signal(signal.SIGINT)
        printed = self._process.communicate()[0]
        sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", printed).groups())
        # The last may be under way.
        return max(0, sent - received - 1)


@pytest.mark.parametrize("kind", ["hybrid", "native"])
def test_what_upstream_plugged_is_adopted_without_losing_a_packet(switch, host, upstream, guest, kind):
    """In-place upgrade: check sees only our marks missing, re-plug sets just them, unplug leaves nothing."""
    pair = [joined(kind, guest, number, f"10.0.0.{number}/24") for number in (1, 2)]
    for vif, _ in pair:
        upstream.plug(vif)
    first, _ = (join() for _, join in pair)
    switch.settle()
    before, rows = switch.ns.snapshot(), {name: row["_uuid"] for name, row in switch.rows("Port").items()}
    ping = Ping(first, "10.0.0.2")
    planned = host.plan(*(vif for vif, _ in pair))
    assert planned
    assert all(re.match(r"set (alias|sysctl|os-vif=|group)", step) for step in planned), planned
    host.plug(*(vif for vif, _ in pair))
    assert host.plan(*(vif for vif, _ in pair)) == []
    switch.settle()
    assert ping.lost() == 0
    assert {name: row["_uuid"] for name, row in switch.rows("Port").items()} == rows
    changed = differences(before, switch.ns.snapshot())
    assert [
        line for line in changed if not re.search(r"/ifalias|/group|arp_|disable_ipv6|^(addresses|routes)/", line)
    ] == []
    host.unplug(*(vif for vif, _ in pair))
    assert set(switch.rows("Port")) == {"br-int"}
    left = switch.ns.link_names() - {"ovs-netdev", "br-int"}
    assert left == {vif.vif_name for vif, _ in pair}


@pytest.mark.parametrize("kind", ["hybrid", "native"])
def test_what_we_plugged_upstream_takes_over(switch, host, upstream, guest, kind):
    """The way back: upstream plugs again what is there without losing a packet, and unplugs it to nothing."""
    pair = [joined(kind, guest, number, f"10.0.0.{number}/24") for number in (1, 2)]
    host.plug(*(vif for vif, _ in pair))
    first, _ = (join() for _, join in pair)
    switch.settle()
    before = switch.look()
    ping = Ping(first, "10.0.0.2")
    for vif, _ in pair:
        upstream.plug(vif)
    assert ping.lost() == 0
    assert switch.look() == before
    for vif, _ in pair:
        upstream.unplug(vif)
    assert set(switch.rows("Port")) == {"br-int"}
    # Upstream deletes the hypervisor's devices too.
    assert switch.ns.link_names() - {"ovs-netdev", "br-int"} <= {vif.vif_name for vif, _ in pair}
