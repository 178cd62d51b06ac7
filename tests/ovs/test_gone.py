# SPDX-License-Identifier: Apache-2.0
"""What another os-vif has unplugged is not made again by a repair, unless that is told to."""

from __future__ import annotations

import json
import sqlite3

import pytest

import os_vif
from os_vif import exception
from os_vif.loading import plugins
from os_vif.plugging import current
from support import ovs_vifs, vifs
from support.vif_command import command

KINDS = {
    "hybrid": ovs_vifs.hybrid(),
    "port": ovs_vifs.native(create_port=True),
    "tap": ovs_vifs.native(create_port=True, create_tap=True),
}
TEXT = "everything is gone: unplugged by another program, or the host was restarted"


@pytest.fixture
def api(host, monkeypatch):
    """The public functions, on a host of the test's own."""
    os_vif.initialize()
    monkeypatch.setitem(plugins.plugins(), "ovs", host.plugin)
    current.use(host.engine)
    yield host
    current.use(None)


def pretend_a_reboot(journal):
    """As the journal looks after the machine was down: its records are of another boot."""
    with sqlite3.connect(journal) as database:
        for table in ("vif", "holding", "use"):
            database.execute(f"UPDATE {table} SET boot = 'earlier'")
    database.close()


def on(host, do, vif, **options):
    return host.ns.inside(lambda: do(vif, vifs.INSTANCE, **options))


@pytest.mark.parametrize("kind", KINDS)
def test_what_upstream_has_unplugged_stays_so(switch, api, upstream, kind):
    """After a rollback and the return: the check says what was found, the repair what to do."""
    vif = KINDS[kind]
    on(api, os_vif.plug, vif)
    upstream.unplug(vif)
    before = switch.look()
    found = on(api, os_vif.check, vif)
    assert (found.state, found.differences, found.repairable, found.gone) == ("differs", (TEXT,), False, True)
    with pytest.raises(exception.PlugException, match=TEXT) as refused:
        on(api, os_vif.repair, vif)
    assert isinstance(refused.value.__cause__, exception.NothingLeft)
    assert switch.look() == before
    assert on(api, os_vif.repair, vif, anew=True)
    assert on(api, os_vif.check, vif).state == "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_a_plug_is_a_word(switch, api, upstream, kind):
    """Whoever plugs wants it there."""
    vif = KINDS[kind]
    on(api, os_vif.plug, vif)
    upstream.unplug(vif)
    on(api, os_vif.plug, vif)
    assert on(api, os_vif.check, vif).state == "ok"


def test_what_is_left_in_part_was_broken(switch, api):
    """It is mended as ever."""
    vif = KINDS["tap"]
    on(api, os_vif.plug, vif)
    switch.vsctl("del-port", vif.vif_name)
    found = on(api, os_vif.check, vif)
    assert (found.gone, found.repairable) == (False, True)
    assert on(api, os_vif.repair, vif)
    assert on(api, os_vif.check, vif).state == "ok"


def test_the_device_of_a_guest_says_that_it_is_here(switch, api, guest):
    """Only the port is gone, and the guest runs."""
    vif = KINDS["port"]
    on(api, os_vif.plug, vif)
    guest("", vif.vif_name, "10.0.0.1/24")
    switch.vsctl("del-port", vif.vif_name)
    assert on(api, os_vif.check, vif).gone is False
    assert on(api, os_vif.repair, vif)


def test_the_command_says_so_and_takes_the_word(switch, tmp_path, upstream):
    """Exit code 4, until it is made again or forgotten."""
    vif = KINDS["hybrid"]
    config, file = tmp_path / "vif.conf", tmp_path / "vif.json"
    config.write_text(f"[os_vif_ovs]\novsdb_connection = {switch.remote}\n")
    file.write_text(json.dumps({"vif": vif.obj_to_primitive(), "instance": vifs.INSTANCE.obj_to_primitive()}))

    def run(*arguments):
        common = ("--state-dir", tmp_path, "--config-file", config)
        return switch.ns.run([command(), *arguments, *common], check=False)

    assert run("plug", file).returncode == 0
    upstream.unplug(vif)
    checked, repaired = run("check"), run("repair")
    assert (checked.returncode, repaired.returncode) == (4, 4)
    assert checked.stdout.splitlines() == [
        f"differs  {vif.id}",
        f"         {TEXT}",
        "         `vif repair --anew` makes it again, `vif unplug --id` has it forgotten",
    ]
    assert repaired.stdout.startswith(f"failed    {vif.id}\n")
    assert f"VIF {vif.id}: {TEXT}." in repaired.stderr
    assert run("repair", "--anew").returncode == 0
    assert run("check").returncode == 0
    upstream.unplug(vif)
    pretend_a_reboot(tmp_path / "journal.db")
    assert run("restore").returncode == 0
    assert run("check").stdout == f"ok       {vif.id}\n"
    upstream.unplug(vif)
    assert run("unplug", "--id", vif.id).returncode == 0
    assert run("check").returncode == 0
