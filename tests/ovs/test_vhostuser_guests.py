# SPDX-License-Identifier: Apache-2.0
"""vhost-user on Open vSwitch with DPDK: virtual machines at both kinds of socket, and upstream os-vif beside us."""

from __future__ import annotations

import re

import pytest

from support import differences, ovs_vifs
from support.guest import small

MODES = ("server", "client")


@pytest.fixture
def pair(dpdk_switch):
    """Two VIFs; the socket of the first is the hypervisor's to make, that of the second the switch's.

    The paths are in the directory where Open vSwitch makes its own.
    """
    made = [ovs_vifs.vhost_user(mode, number=number) for number, mode in enumerate(MODES, 1)]
    for vif in made:
        vif.path = f"{dpdk_switch.directory}/{vif.path.rpartition('/')[2]}"
    return made


def boot(switch, vif, address):
    """The guest of a VIF, as Nova would have it made: ``mode`` is the hypervisor's."""
    card = small.vhost_user(vif.path, mac=str(vif.address), server=vif.mode == "server")
    return small.Guest(switch.ns, card, address=address)


def test_guests_at_both_kinds_of_socket_reach_each_other(dpdk_switch, host_on, pair):
    """Both ways; plugging again meanwhile writes nothing and loses no packet; unplugging leaves no row.

    The network's MTU is in force at the ports that have a guest.
    """
    host, other = host_on(dpdk_switch), host_on(dpdk_switch)
    host.plug(*pair)
    with boot(dpdk_switch, pair[0], "10.0.0.1/24") as one, boot(dpdk_switch, pair[1], "10.0.0.2/24") as two:
        one.wait()
        two.wait()
        assert one.reaches("10.0.0.2")
        assert two.reaches("10.0.0.1")
        assert [row["mtu"] for name, row in dpdk_switch.rows("Interface").items() if name != "br-int"] == [1450, 1450]
        one.run("ping -i 0.02 10.0.0.2 >/tmp/ping &")
        with dpdk_switch.watch() as watch, dpdk_switch.ns.monitor() as monitor:
            host.plug(*pair)
            other.plug(*pair)
            assert watch.changes() == []
        assert monitor.events == []
        printed = one.run("kill -INT $!; wait $!; cat /tmp/ping")
        sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) packets received", printed).groups())
        assert sent > 5
        assert received >= sent - 1  # the last may be under way
        host.unplug(*pair)
        dpdk_switch.settle()
        assert not one.reaches("10.0.0.2", tries=1)
    assert set(dpdk_switch.rows("Interface")) == set(dpdk_switch.rows("Port")) == {"br-int"}


@pytest.mark.parametrize("options", [{}, {"isolate_vif": True}], ids=["plain", "isolated"])
def test_the_rows_are_upstreams(dpdk_switch, host_on, upstream_on, pair, options):
    """Bridge, ports and interfaces, but for our marks; none are left after unplugging."""
    upstream = upstream_on(dpdk_switch)
    for vif in pair:
        upstream.plug(vif, **options)
    theirs = dpdk_switch.look()
    for vif in pair:
        upstream.unplug(vif, **options)
    dpdk_switch.clean()
    host = host_on(dpdk_switch, **options)
    host.plug(*pair)
    assert differences(theirs, without_marks(dpdk_switch.look())) == []
    assert {row["type"] for row in theirs["Interface"].values()} == {"internal", "dpdkvhostuserclient", "dpdkvhostuser"}


def test_what_upstream_plugged_is_adopted(dpdk_switch, host_on, upstream_on, pair):
    """The rows stay the same ones, and get our marks only: Open vSwitch has no cause to make a socket anew."""
    for vif in pair:
        upstream_on(dpdk_switch).plug(vif)
    before, rows = dpdk_switch.look(), {name: row["_uuid"] for name, row in dpdk_switch.rows("Interface").items()}
    host = host_on(dpdk_switch)
    host.plug(*pair)
    assert {name: row["_uuid"] for name, row in dpdk_switch.rows("Interface").items()} == rows
    assert before == without_marks(dpdk_switch.look())
    host.unplug(*pair)
    assert set(dpdk_switch.rows("Interface")) == {"br-int"}


def without_marks(seen):
    """What the switch is configured to, less what os-vif marks as its own."""
    for table in ("Bridge", "Port", "Interface"):
        for row in seen[table].values():
            ids = row["external_ids"]
            row["external_ids"] = {key: ids[key] for key in ids if not key.startswith("os-vif")}
    return seen
