# SPDX-License-Identifier: Apache-2.0
"""Many ports, many VIFs at once, many threads, and children: one connection, few transactions."""

from __future__ import annotations

import concurrent.futures
from pathlib import Path

import pytest

from engine.places import in_child
from support import ovs_vifs

TAP = {"create_port": True, "create_tap": True}


def crowd(switch, count):
    """Gives the switch a bridge with many ports, in one go."""
    command = ["add-br", "br-int"]
    for number in range(count):
        command += ["--", "add-port", "br-int", f"p{number}", "--", "set", "Interface", f"p{number}", "type=dummy"]
    switch.vsctl(*command)


@pytest.mark.parametrize("kind", ["hybrid", "tap"])
def test_twenty_more_on_a_switch_with_a_thousand_ports(kernel_switch, host_on, proxy_on, kind):
    """One transaction plugs them all, one takes them all away; no more is read than the rows that matter."""
    crowd(kernel_switch, 1000)
    proxy = proxy_on(kernel_switch)
    host = host_on(kernel_switch, ovsdb_connection=proxy.remote)
    make = ovs_vifs.hybrid if kind == "hybrid" else lambda **rest: ovs_vifs.native(**TAP, **rest)
    vifs = [make(number=number, datapath="system") for number in range(1, 21)]
    with kernel_switch.watch() as watch:
        host.plug(*vifs)
        assert len(watch.changes()) == 1
        assert len(kernel_switch.rows("Port")) == 1021
        asked = len(proxy.requests)
        host.plug(*vifs)
        assert len(proxy.requests) - asked <= 2
        assert watch.changes() == []
        host.unplug(*vifs)
        assert len(watch.changes()) == 1
    assert len(kernel_switch.rows("Port")) == 1001
    assert proxy.connections == 1


def test_threads_share_the_connection(switch, host_on, proxy):
    """Sixteen threads, each with VIFs of its own: all plugged, all unplugged, over one connection."""
    host = host_on(switch, ovsdb_connection=proxy.remote)
    vifs = [ovs_vifs.native(**TAP, number=number) for number in range(1, 33)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(host.plug, vifs))
        assert len(switch.rows("Port")) == 33
        list(pool.map(host.unplug, vifs))
    assert set(switch.rows("Port")) == {"br-int"}
    assert proxy.connections == 1


def test_children_and_parent(switch, host, proxy, host_on):
    """A child forked from a process that has a connection plugs over its own; the parent's goes on working."""
    host = host_on(switch, ovsdb_connection=proxy.remote)
    host.plug(ovs_vifs.native(**TAP))
    assert proxy.connections == 1
    assert in_child(lambda: host.plug(ovs_vifs.native(**TAP, number=2))) == 0
    assert proxy.connections == 2
    host.plug(ovs_vifs.native(**TAP, number=3))
    assert proxy.connections == 2
    assert set(switch.rows("Port")) == {"br-int", *(ovs_vifs.tap(number) for number in (1, 2, 3))}


def test_an_idle_connection_that_the_server_has_closed(switch, host_on, proxy):
    """Between two calls, whatever the reason: the second one makes a new connection and says nothing."""
    host = host_on(switch, ovsdb_connection=proxy.remote)
    host.plug(ovs_vifs.native(**TAP))
    proxy.hang_up()
    host.plug(ovs_vifs.native(**TAP, number=2))
    assert proxy.connections == 2
    assert set(switch.rows("Port")) == {"br-int", ovs_vifs.tap(), ovs_vifs.tap(2)}


def test_lost_connections_leave_no_descriptor_open(switch, host_on, proxy):
    """After ten that were lost, this process has as many sockets as after the first."""
    host = host_on(switch, ovsdb_connection=proxy.remote)
    vif = ovs_vifs.native(**TAP)
    counts = []
    for _ in range(11):
        host.plug(vif)
        proxy.hang_up()
        host.unplug(vif)
        counts.append(sockets())
    assert proxy.connections >= 11
    assert counts[-1] <= counts[0]


def sockets():
    descriptors = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    return sum(str(entry.readlink()).startswith("socket:") for entry in descriptors)
