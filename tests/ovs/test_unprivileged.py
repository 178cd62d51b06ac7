# SPDX-License-Identifier: Apache-2.0
"""A service that is not root plugs into Open vSwitch.

It talks to the database itself, as upstream does: over TCP, the default, or over a socket that it is let into. Devices
are made by the helper of oslo.privsep, which holds one capability.
"""

from __future__ import annotations

import os
import shutil

import pytest

from support import ovs_vifs
from support.unprivileged import NOBODY, ONLY_NET_ADMIN, Service

PORT = {"create_port": True}
TAP = {"create_port": True, "create_tap": True}
CONTEXT = "vif_plug_ovs.privsep.vif_plug"


@pytest.fixture
def open_switch(new_switch):
    """A switch whose socket nobody's service is let into, by its group, and that listens on the default port."""
    switch = new_switch(listen=["ptcp:6640:127.0.0.1"])
    switch.ns.ip("link", "set", "lo", "up")
    switch.directory.chmod(0o750)
    os.chown(switch.directory, -1, NOBODY)
    socket = switch.directory / "db.sock"
    os.chown(socket, -1, NOBODY)
    socket.chmod(0o660)
    return switch


@pytest.fixture
def client(open_switch):
    """Runs a service in the switch's namespace: client("plug,unplug", vif, options={...})."""
    service = Service(open_switch.ns, "vif_plug_ovs")
    yield service
    service.close()


def devices(switch):
    return switch.ns.link_names() - {"ovs-netdev", "br-int"}


KINDS = {
    "hybrid": (ovs_vifs.hybrid(), {"qbr6d3e0001-4c", "qvb6d3e0001-4c", "qvo6d3e0001-4c"}, "qvo6d3e0001-4c"),
    "tap": (ovs_vifs.native(**TAP), {"tap6d3e0001-4c"}, "tap6d3e0001-4c"),
}


@pytest.mark.parametrize(("vif", "made", "port"), KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("how", ["helper-command", "root-helper"])
def test_devices_are_made_by_the_helper(open_switch, client, vif, made, port, how):
    """Started the way that deployers configure, by the context's old name; nothing is left of the VIF in the end."""
    remote = {"ovsdb_connection": open_switch.remote}
    result = client("plug,plug", vif, how, options=remote)
    assert (result["uid"], result["privileged"]) == (NOBODY, False)
    assert result["results"] == [{"helpers": [ONLY_NET_ADMIN]}] * 2
    assert [call[:3] for call in result["calls"]] == [["privsep-helper", "--privsep_context", CONTEXT]]
    assert devices(open_switch) == made
    row = open_switch.rows("Interface")[port]
    assert (row["external_ids"]["iface-id"], row["error"]) == (vif.port_profile.interface_id, [])
    assert client("unplug", vif, how, options=remote)["results"] == [{"helpers": [ONLY_NET_ADMIN]}]
    assert devices(open_switch) == set()
    assert set(open_switch.rows("Port")) == {"br-int"}


def test_what_an_earlier_os_vif_has_made_is_taken_over(open_switch, client):
    """It bears no marks, and is known by its names; afterwards it is marked, and goes with the VIF."""
    bridge, near, far = "qbr6d3e0001-4c", "qvb6d3e0001-4c", "qvo6d3e0001-4c"
    open_switch.ns.ip("link", "add", bridge, "type", "bridge")
    open_switch.ns.ip("link", "add", near, "mtu", "1400", "type", "veth", "peer", "name", far)
    options = {"ovsdb_connection": open_switch.remote}
    assert client("plug", ovs_vifs.hybrid(), options=options)["results"] == [{"helpers": [ONLY_NET_ADMIN]}]
    links = {name: open_switch.ns.link(name) for name in (bridge, near, far)}
    assert {link["ifalias"].partition(" ")[0] for link in links.values()} == {f"os-vif:{ovs_vifs.hybrid().id}"}
    assert (links[near]["master"], links[far]["mtu"]) == (bridge, 1450)
    assert client("unplug", ovs_vifs.hybrid(), options=options)["results"] == [{"helpers": [ONLY_NET_ADMIN]}]
    assert devices(open_switch) == set()


def test_a_port_alone_takes_no_helper(open_switch, client):
    """What is in the database only needs no rights over the host's network; the default connection will do."""
    result = client("plug,plug", ovs_vifs.native(**PORT))
    assert (result["results"], result["calls"]) == ([{"helpers": []}] * 2, [])
    assert set(open_switch.rows("Port")) == {"br-int", ovs_vifs.tap()}
    assert client("unplug", ovs_vifs.native(**PORT))["results"] == [{"helpers": []}]
    assert set(open_switch.rows("Port")) == {"br-int"}


def test_a_socket_that_it_may_not_use(open_switch, client):
    """The error tells which one and why; nothing is touched, and no helper is started."""
    before = open_switch.look(), open_switch.ns.snapshot()
    open_switch.directory.chmod(0o700)
    options = {"ovsdb_connection": open_switch.remote, "ovs_vsctl_timeout": 1}
    result = client("plug", ovs_vifs.hybrid(), options=options)
    [answer] = result["results"]
    assert f"no OVSDB server could be reached ({open_switch.remote}: Permission denied)" in answer["error"]
    assert result["calls"] == []
    assert (open_switch.look(), open_switch.ns.snapshot()) == before


def test_a_helper_that_cannot_be_started(open_switch, client):
    """Not even the port is left behind."""
    before = open_switch.ns.snapshot()
    options = {"ovsdb_connection": open_switch.remote}
    [answer] = client("plug", ovs_vifs.hybrid(), command=shutil.which("false"), options=options)["results"]
    assert "privsep helper command exited non-zero (1)" in answer["error"]
    assert set(open_switch.rows("Port")) <= {"br-int"}
    assert open_switch.ns.snapshot() == before
