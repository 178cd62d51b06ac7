# SPDX-License-Identifier: Apache-2.0
"""Garbage collection finds ports that bear our mark and that no record tells of, and spares everybody else's."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sqlite3
import struct

import pytest

from os_vif.host.backends import ovs_marked
from os_vif.host.engine.garbage import GarbageCollector
from os_vif.host.state.ovs import OvsDatabase
from os_vif.plugins.ovs import OvsPlugin
from support import ovs_vifs, plugging, vifs
from support.vif_command import command

PORT = {"create_port": True}
TAP = {"create_port": True, "create_tap": True}
VIF_ID = ovs_vifs.identity(1)

KINDS = {
    "hybrid": (ovs_vifs.hybrid(), "qvo6d3e0001-4c"),
    "port": (ovs_vifs.native(**PORT), "tap6d3e0001-4c"),
    "tap": (ovs_vifs.native(**TAP), "tap6d3e0001-4c"),
}


def devices(switch):
    return switch.ns.link_names() - {"ovs-netdev", "br-int"}


def find(host):
    """What a process that has just started on that host would remove."""
    collector = GarbageCollector(host.engine, places=host.plugin.whereabouts())
    return collector, host.ns.inside(lambda: [one for one in collector.find(orphans=True) if not one.left])


def collect(host):
    """The same, and removes it; what became of each."""
    collector, found = find(host)
    return [host.ns.inside(lambda one=one: collector.remove(one)) for one in found]


@pytest.fixture
def lose_journal(tmp_path):
    """The journal of the hosts is gone."""

    def lose():
        for file in tmp_path.glob("journal.db*"):
            file.unlink()

    return lose


@pytest.fixture
def elsewhere(switch, host, tmp_path):
    """A host with another journal on the same switch."""
    directory = tmp_path / "elsewhere"
    directory.mkdir()
    made = plugging.PlugHost(switch.ns, directory, host.plugin)
    yield made
    made.engine.backends["ovs"].close()


def forget(host):
    """All that is recorded goes."""
    with sqlite3.connect(host.engine.journal.path) as database:
        for table in ("vif", "holding", "use"):
            database.execute(f"DELETE FROM {table}")
    database.close()


@pytest.mark.parametrize(("vif", "port"), KINDS.values(), ids=KINDS)
def test_a_lost_journal(switch, new_host, lose_journal, vif, port):
    """The port is listed with its database, bridge and VIF, and goes with all its devices; looking changes nothing."""
    new_host().plug(vif)
    before = switch.look()
    lose_journal()
    _, found = find(new_host())
    assert switch.look() == before
    first = found[0]
    assert (first.kind, first.vif_id) == ("orphan", VIF_ID)
    assert first.what == f"port {port} on Open vSwitch bridge br-int at {switch.remote}"
    assert {one.error for one in collect(new_host())} == {None}
    assert set(switch.rows("Port")) == {"br-int"}
    assert devices(switch) == set()
    assert find(new_host())[1] == []


def test_a_lost_journal_and_bridges_per_port(switch, new_host, lose_journal):
    """The bridge made for the port goes after its ports, and not while somebody else has a port there."""
    new_host(per_port_bridge=True).plug(ovs_vifs.native(**TAP), ovs_vifs.native(**TAP, number=2))
    switch.vsctl("add-port", "pb6d3e0002-4c2", "theirs", "--", "set", "Interface", "theirs", "type=internal")
    lose_journal()
    assert {one.error for one in collect(new_host())} == {None}
    assert set(switch.rows("Bridge")) == {"br-int", "pb6d3e0002-4c2"}
    assert set(switch.rows("Port")) == {"br-int", "pb6d3e0002-4c2", "theirs"}


def test_a_guest_that_runs_keeps_its_port(switch, new_host, lose_journal):
    """The tap is held open by a hypervisor: neither it nor the port goes, and that of another guest does."""
    new_host().plug(ovs_vifs.native(**TAP), ovs_vifs.native(**TAP, number=2))
    lose_journal()
    with held_open(switch.ns, ovs_vifs.tap()):
        assert {one.what for one in collect(new_host())} == {
            f"port {ovs_vifs.tap(2)} on Open vSwitch bridge br-int at {switch.remote}",
            f"tap {ovs_vifs.tap(2)}",
        }
    assert set(switch.rows("Port")) == {"br-int", ovs_vifs.tap()}
    assert devices(switch) == {ovs_vifs.tap()}


def test_a_guest_behind_a_linux_bridge_keeps_its_port(switch, new_host, lose_journal, guest):
    """Its own device, made by the hypervisor, is a port of the bridge: all that the VIF has stays."""
    new_host().plug(ovs_vifs.hybrid())
    guest("qbr6d3e0001-4c", "tap6d3e0001-4c", "10.0.0.1/24")
    before = switch.look(), devices(switch)
    lose_journal()
    assert collect(new_host()) == []
    assert (switch.look(), devices(switch)) == before


@contextlib.contextmanager
def held_open(namespace, tap):
    """As a hypervisor does that runs a guest."""

    def attach():
        file = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(file, 0x400454CA, struct.pack("16sH22x", tap.encode(), 0x1002))  # TUNSETIFF, IFF_TAP | IFF_NO_PI
        return file

    file = namespace.inside(attach)
    try:
        yield
    finally:
        os.close(file)


@pytest.mark.parametrize(
    ("interface", "reason"),
    [
        ({"type": "dpdkvhostuserclient", "status": {"status": "connected"}}, "a guest is connected to its socket"),
        ({"type": "dpdkvhostuserclient", "status": {"status": "disconnected"}, "link_state": "up"}, ""),
        ({"type": "internal", "link_state": "up"}, "Open vSwitch says that it is up"),
        ({"type": "", "link_state": "up"}, "Open vSwitch says that it is up"),
        ({"type": "", "link_state": "down"}, ""),
        ({"type": "", "link_state": []}, ""),
        ({"type": "patch", "link_state": "up"}, ""),
    ],
)
def test_what_open_vswitch_says_of_a_port(interface, reason):
    """Rows as a switch has them, with DPDK too (netdev-dpdk.c, netdev_dpdk_vhost_user_get_status)."""

    class Rows:
        def transact(self, questions, deadline):
            link_state = interface.get("link_state", [])
            row = {
                "name": "vhu1",
                "type": interface["type"],
                "link_state": link_state if link_state else ["set", []],
                "status": ["map", [list(pair) for pair in interface.get("status", {}).items()]],
            }
            port = {"_uuid": ["uuid", "1"], "name": "vhu1", "external_ids": ["map", [["os-vif", VIF_ID]]]}
            return [{"rows": [port]}, {"rows": []}, {"rows": [row]}]

    place = OvsDatabase(database="unix:/none")
    (found,) = ovs_marked.find(lambda *_: Rows(), place, "", lambda name: None)
    assert (found.vif_id, found.in_use) == (VIF_ID, reason)


def test_queueing_goes_too(kernel_switch, host_on, lose_journal):
    """No QoS row is left of a port."""
    host_on(kernel_switch).plug(ovs_vifs.native(**PORT, datapath="system"))
    kernel_switch.appctl("netdev-dummy/set-admin-state", ovs_vifs.tap(), "down")
    lose_journal()
    collect(host_on(kernel_switch))
    assert kernel_switch.rows("QoS") == {}


def test_somebody_elses_ports_are_spared(switch, host, upstream, lose_journal):
    """Ports without our mark stay, by whatever name, and so does the integration bridge."""
    host.plug(ovs_vifs.native(**PORT, number=3))
    upstream.plug(ovs_vifs.hybrid(number=1))
    upstream.plug(ovs_vifs.native(**TAP, number=2))
    host.unplug(ovs_vifs.native(**PORT, number=3))
    switch.vsctl("add-port", "br-int", ovs_vifs.tap(4), "--", "set", "Interface", ovs_vifs.tap(4), "type=internal")
    before = switch.look(), switch.ns.snapshot()
    lose_journal()
    assert collect(host) == []
    assert (switch.look(), switch.ns.snapshot()) == before


def test_ports_of_another_journal_are_spared(switch, host, elsewhere):
    """One switch may serve several services, each with a state directory of its own; their devices are spared too."""
    host.plug(ovs_vifs.native(**TAP), ovs_vifs.hybrid(number=2))
    elsewhere.plug(ovs_vifs.native(**TAP, number=3), ovs_vifs.hybrid(number=4))
    before = switch.look(), switch.ns.snapshot()
    assert (collect(host), collect(elsewhere)) == ([], [])
    assert (switch.look(), switch.ns.snapshot()) == before


def test_ports_of_a_journal_that_is_gone_are_not(switch, host, elsewhere, tmp_path):
    """The state directory was moved, or removed with the service: nobody else would ever find them."""
    elsewhere.plug(ovs_vifs.native(**PORT, number=2))
    for file in (tmp_path / "elsewhere").glob("journal.db*"):
        file.unlink()
    assert [one.removed for one in collect(host)] == [True]
    assert set(switch.rows("Port")) == {"br-int"}


def test_a_port_belongs_to_the_journal_that_plugged_it_last(switch, host, elsewhere):
    """A service is given another state directory, and plugs its VIFs again: the old one has no say any more."""
    vif = ovs_vifs.native(**PORT)
    elsewhere.plug(vif)
    host.plug(vif)
    home = switch.rows("Port")[ovs_vifs.tap()]["external_ids"]["os-vif-journal"]
    assert home.rpartition("@")[0] == host.engine.journal.identity
    assert host.plan(vif) == []
    forget(elsewhere)
    assert collect(elsewhere) == []


def test_a_port_of_a_container(switch, host, lose_journal):
    """Its journal may have the same path, below a root directory of its own: then the port is spared. So is one whose
    journal cannot be seen from here."""
    vif = ovs_vifs.native(**PORT)
    for path in (host.engine.journal.identity, "/none/journal.db"):
        host.plug(vif)
        switch.vsctl("set", "Port", ovs_vifs.tap(), f'external_ids:os-vif-journal="{path}@0.1"')
        lose_journal()
        host.engine.journal.close()
        assert collect(host) == []
    assert set(switch.rows("Port")) == {"br-int", ovs_vifs.tap()}


def test_what_is_recorded_elsewhere_in_the_journal_is_spared(switch, host, new_netns, tmp_path):
    """A record of another network namespace, or of an earlier boot, explains a port as well."""
    other = plugging.PlugHost(new_netns(), tmp_path, host.plugin)
    other.plug(ovs_vifs.native(**PORT))
    before = switch.look()
    assert collect(host) == []
    with sqlite3.connect(tmp_path / "journal.db") as database:
        for table in ("vif", "holding", "use"):
            database.execute(f"UPDATE {table} SET boot = 'earlier', namespace = 'initial'")
    database.close()
    assert collect(host) == []
    assert switch.look() == before
    other.engine.backends["ovs"].close()


def test_a_vif_that_is_plugged_again_meanwhile_is_spared(switch, new_host, lose_journal):
    """Between the look and the removal somebody needs it again."""
    vif = ovs_vifs.native(**TAP)
    new_host().plug(vif)
    lose_journal()
    host = new_host()
    collector, found = find(host)
    host.plug(vif)
    before = switch.look(), switch.ns.snapshot()
    results = [host.ns.inside(lambda one=one: collector.remove(one)) for one in found]
    assert [(one.removed, one.error) for one in results] == [(False, None)] * 2
    assert (switch.look(), switch.ns.snapshot()) == before


def test_a_switch_that_is_down(switch, host_on, new_switch, lose_journal):
    """It is reported, what is recorded for it stays recorded, and the other switch is cleaned up."""
    down = new_switch()
    host_on(switch).plug(ovs_vifs.native(**PORT))
    lose_journal()
    host_on(down, ovs_vsctl_timeout=1).plug(ovs_vifs.native(**PORT, number=2))
    down.stop("ovsdb-server", signal.SIGKILL)
    host = host_on(switch)
    results = collect(host)
    assert [(one.kind, one.removed) for one in results] == [("orphan", True), ("unsearched", False)]
    assert str(results[1]) == f"Open vSwitch at {down.remote} could not be searched"
    assert "Connection refused" in str(results[1].error)
    assert set(switch.rows("Port")) == {"br-int"}
    assert [record.vif_id for record in host.engine.journal.records()] == [ovs_vifs.identity(2)]


def test_a_switch_that_nobody_has_named_need_not_be_there(netns, tmp_path):
    """Most hosts without Open vSwitch have the default in their configuration: that is no trouble."""
    host = plugging.PlugHost(netns, tmp_path, plugging.configured(OvsPlugin))
    assert collect(host) == []


def test_the_command(switch, tmp_path):
    """`vif gc` finds it through the configuration alone, and tells programs all there is to know."""
    config, request = tmp_path / "os-vif.conf", tmp_path / "vif.json"
    config.write_text(f"[os_vif_ovs]\novsdb_connection = {switch.remote}\n")
    vif = ovs_vifs.native(**TAP)
    request.write_text(json.dumps({"vif": vif.obj_to_primitive(), "instance": vifs.INSTANCE.obj_to_primitive()}))

    def run(*arguments):
        return switch.ns.run([command(), *arguments, "--config-file", config], check=False)

    assert run("plug", request).returncode == 0
    for file in (tmp_path / "state").iterdir():
        file.unlink()
    assert [one["removed"] for one in json.loads(run("gc", "-o", "json").stdout)] == [False, False]
    seen = run("gc", "--orphans", "--dry-run", "-o", "json")
    assert seen.returncode == 4
    assert "has lost records: 2 devices and ports on this host name it and are not in it" in seen.stderr
    port, tap = json.loads(seen.stdout)
    assert {key: port[key] for key in ("kind", "vif_id", "removed", "error", "lost")} == {
        "kind": "orphan",
        "vif_id": VIF_ID,
        "removed": False,
        "error": None,
        "lost": True,
    }
    assert {key: port["resource"][key] for key in ("resource", "name", "bridge", "database")} == {
        "resource": "OvsPort",
        "name": ovs_vifs.tap(),
        "bridge": "br-int",
        "database": switch.remote,
    }
    assert (tap["resource"]["resource"], tap["resource"]["name"]) == ("Tap", ovs_vifs.tap())
    assert [one["removed"] for one in json.loads(run("gc", "--orphans", "-o", "json").stdout)] == [True, True]
    assert set(switch.rows("Port")) == {"br-int"}
    assert run("gc").stdout == "Nothing to remove.\n"


def test_the_command_tells_of_a_switch_that_is_down(netns, tmp_path):
    """Exit code 1, where it was looked for, and what to do."""
    config = tmp_path / "os-vif.conf"
    config.write_text(f"[os_vif_ovs]\novsdb_connection = unix:{tmp_path}/none\novs_vsctl_timeout = 1\n")
    done = netns.run([command(), "gc", "--config-file", config, "-o", "json"], check=False)
    assert done.returncode == 1
    (one,) = json.loads(done.stdout)
    assert (one["kind"], one["what"]) == ("unsearched", f"Open vSwitch at unix:{tmp_path}/none")
    assert "ovsdb_connection" in one["error"]["hint"]
