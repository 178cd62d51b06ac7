# SPDX-License-Identifier: Apache-2.0
"""An Open vSwitch that does not run, or hangs, is waited for once, not for each VIF."""

from __future__ import annotations

import json
import time

import pytest

from os_vif import exception
from os_vif.host.process import patience
from support import ovs_vifs, vifs
from support.vif_command import command

PORTS = [ovs_vifs.native(number=number, create_port=True) for number in (1, 2, 3)]

#: The limit that operators set, and most never change: what one VIF must not take, three even less.
LIMIT = 120


@pytest.fixture
def broken_switch(new_switch, host_on):
    """A switch with three VIFs plugged, and a host on it."""
    switch = new_switch()
    host = host_on(switch, ovs_vsctl_timeout=LIMIT)
    host.plug(*PORTS)
    return switch, host


@pytest.fixture
def run(broken_switch, tmp_path):
    """Runs the command on all three; returns what it tells of each, and how long it took."""
    switch, _ = broken_switch
    config = tmp_path / "vif.conf"
    config.write_text(f"[os_vif_ovs]\novsdb_connection = {switch.remote}\novs_vsctl_timeout = {LIMIT}\n")
    files = []
    for vif in PORTS:
        files.append(tmp_path / f"{vif.id}.json")
        files[-1].write_text(json.dumps({"vif": vif.obj_to_primitive(), "instance": vifs.INSTANCE.obj_to_primitive()}))

    def do(action):
        common = ("--state-dir", tmp_path, "--config-file", config, "-o", "json")
        began = time.monotonic()
        ended = switch.ns.run([command(), action, *files, *common], check=False)
        return ended, time.monotonic() - began

    return do


@pytest.mark.parametrize("action", ["check", "repair", "unplug"])
def test_the_database_server_is_down(broken_switch, run, action):
    """Nobody listens: it is told at once by who looks, and after the time that a restart takes by who works."""
    broken_switch[0].stop("ovsdb-server")
    ended, seconds = run(action)
    assert ended.returncode == 1
    assert "No such file or directory" in ended.stdout or "Connection refused" in ended.stdout
    assert seconds < LIMIT / 2


def test_the_database_server_hangs(broken_switch, run):
    """It takes connections, and answers nothing."""
    with broken_switch[0].frozen("ovsdb-server"):
        ended, seconds = run("check")
    assert ended.returncode == 1
    assert seconds < LIMIT / 2


def test_what_is_waited_for_in_vain_is_not_waited_for_again(broken_switch):
    """A service is told at once, too; and as soon as the server is back, all is as before."""
    switch, host = broken_switch
    switch.stop("ovsdb-server")
    with pytest.raises(exception.StepFailed):
        host.plug(ovs_vifs.native(number=9, create_port=True))
    began = time.monotonic()
    for number in range(20):
        with pytest.raises(exception.StepFailed, match="no OVSDB server could be reached"):
            host.plug(ovs_vifs.native(number=10 + number, create_port=True))
    assert time.monotonic() - began < LIMIT / 4
    switch.start_server()
    host.plug(ovs_vifs.native(number=9, create_port=True))
    assert "tap6d3e0009-4c" in switch.rows("Port")


def test_who_only_looks_is_told_at_once(broken_switch):
    """It can look again."""
    switch, host = broken_switch
    switch.stop("ovsdb-server")
    with patience.looking(), pytest.raises(exception.StepFailed, match="no OVSDB server could be reached"):
        host.plan(PORTS[0])
