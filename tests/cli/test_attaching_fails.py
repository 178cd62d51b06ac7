# SPDX-License-Identifier: Apache-2.0
"""attach and detach where something is missing, full, forbidden or gone: what is told, and that nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from cli.test_records import pretend_a_reboot
from support.parts import require, require_tun
from support.vif_command import command, without_rights

ATTACH = ("attach", "vm1", "--network", "blue", "--hypervisor", "netns")


def state() -> Path:
    return Path(os.environ["OS_VIF_STATE_DIR"])


def change(statement):
    """Changes the record of attachments behind the command's back."""
    with contextlib.closing(sqlite3.connect(state() / "attachments.db", isolation_level=None)) as database:
        database.execute(statement)


@pytest.fixture
def blue(vif_inside):
    """The network "blue"."""
    assert vif_inside("network", "create", "blue", "--cidr", "192.0.2.0/24").returncode == 0


def left(vif_inside):
    """Ports, attachments and VIFs that are told of."""
    return [
        json.loads(vif_inside(*what, "-o", "json").stdout) for what in (["network", "ports"], ["attachments"], ["list"])
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--queues", "0"), "argument --queues: '0' is not a number from 1 on"),
        (("--vcpus", "-1"), "argument --vcpus: '-1' is not a number from 1 on"),
        (("--mac", "zz"), "argument --mac: 'zz' is not a MAC address, such as 52:54:00:00:00:01"),
        (
            ("--mac", "01:00:5e:00:00:01"),
            "argument --mac: 01:00:5e:00:00:01 is a multicast address, which no device can have",
        ),
        (("--ip", "192.0.2.256"), "argument --ip: '192.0.2.256' is not an IP address"),
    ],
)
def test_a_value_that_cannot_be_is_told_by_its_option(vif, arguments, message):
    refused = vif(*ATTACH, *arguments)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[0] == f"error: {message}"


@pytest.mark.parametrize("name", ["", "a\nb"])
def test_a_guest_has_a_name_that_can_be_written(vif, name):
    refused = vif("attach", name, "--network", "blue", "--hypervisor", "netns")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[0] == f"error: argument INSTANCE: {name!r} cannot be a guest's name"


def test_without_rights_nothing_is_begun(netns, vif_inside, blue):
    before = netns.snapshot()
    refused = netns.run([*without_rights(), command(), *ATTACH], check=False)
    assert refused.returncode == 5
    assert refused.stderr.startswith("error: Not permitted to change this host's network:")
    assert "VIFBridge(" not in refused.stderr
    assert left(vif_inside) == [[], [], []]
    assert netns.snapshot() == before


def test_an_interface_for_a_running_guest_of_a_hypervisor_that_takes_none_leaves_nothing(netns, vif_inside, blue):
    require_tun()
    refused = vif_inside("attach", "vm1", "--network", "blue", "--hypervisor", "firecracker", "--hot")
    assert refused.returncode == 1
    assert "takes interfaces only before the guest is started" in refused.stderr
    assert "Undoing failed" not in refused.stderr
    assert left(vif_inside) == [[], [], []]


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A state directory with hardly any room."""
    directory = tmp_path / "small"
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "small", directory], check=True)
    monkeypatch.setenv("OS_VIF_STATE_DIR", str(directory))
    yield directory
    subprocess.run(["umount", directory], check=True)


def fill(disk):
    subprocess.run(["dd", "if=/dev/zero", f"of={disk / 'ballast'}", "bs=1k"], check=False, capture_output=True)


def make_read_only(disk):
    subprocess.run(["mount", "-o", "remount,bind,ro", disk], check=True)


@pytest.mark.parametrize("trouble", [fill, make_read_only])
def test_who_is_attached_can_leave_although_nothing_can_be_written(netns, vif_inside, small, new_netns, trouble):
    """The guest and its devices go, a warning says what could not be written, and once more finishes it."""
    vif_inside("network", "create", "blue", "--cidr", "192.0.2.0/24")
    before = netns.snapshot()
    place = new_netns().name
    assert vif_inside(*ATTACH, "--endpoint", place).returncode == 0
    trouble(small)
    refused = vif_inside("attach", "vm2", *ATTACH[2:], "--endpoint", place)
    assert refused.returncode == 1
    assert f"error: The journal {small}/" in refused.stderr
    assert "hint: " in refused.stderr
    for listing in (
        ("list",),
        ("attachments",),
        ("network", "list"),
        ("network", "ports"),
        ("network", "show", "blue"),
    ):
        shown = vif_inside(*listing)
        assert (shown.returncode, shown.stderr) == (0, ""), listing
        assert "vm1" in shown.stdout or "blue" in shown.stdout or "tap" in shown.stdout, listing
    done = vif_inside("detach", "vm1")
    assert (done.returncode, done.stdout) == (0, "vm1: blue is detached.\n")
    assert "vm1 is detached from blue, but that cannot be written down: " in done.stderr
    assert "`vif detach vm1 --as blue` finishes it" in done.stderr
    assert netns.snapshot() == before
    subprocess.run(["mount", "-o", "remount,bind,rw", small], check=True)
    (small / "ballast").unlink(missing_ok=True)
    again = vif_inside("detach", "vm1")
    assert (again.returncode, again.stderr) == (0, "")
    assert left(vif_inside) == [[], [], []]
    assert netns.snapshot() == before


def test_where_nothing_can_be_remembered_nothing_is_attached(vif_inside, small):
    """What there is can be looked at; the error of the others names the file and says what to look at."""
    vif_inside("network", "create", "blue", "--cidr", "192.0.2.0/24")
    make_read_only(small)
    refused = vif_inside(*ATTACH)
    assert (refused.returncode, refused.stdout) == (1, "")
    first, hint = refused.stderr.splitlines()
    assert first.startswith(f"error: The journal {small}/")
    assert "read-only" in first.lower()
    assert f"`findmnt -T {small}`" in hint
    assert "No guest is recorded" in vif_inside("attachments").stdout
    for arguments in (("detach", "vm1"), ("migrate", "abort", "vm1")):
        assert "vm1 has no such interface on this host" in vif_inside(*arguments).stderr


def test_a_record_of_a_newer_release_is_left_alone(vif_inside, blue):
    vif_inside("attachments")
    change("PRAGMA user_version = 2")
    refused = vif_inside("attachments")
    assert refused.returncode == 1
    assert "it was written by a newer os-vif (format 2; the newest known here is 1)." in refused.stderr


def test_a_damaged_file_is_told_of_with_what_to_do(vif_inside, blue, new_netns):
    assert vif_inside(*ATTACH, "--endpoint", new_netns().name).returncode == 0
    path = state() / "attachments.db"
    path.write_bytes(b"not a database" + path.read_bytes()[14:])
    for arguments in (("attachments",), ("detach", "vm1"), ATTACH):
        refused = vif_inside(*arguments)
        assert refused.returncode == 1
        *_, first, hint = refused.stderr.splitlines()
        assert first == f"error: The journal {path} cannot be used: file is not a database."
        assert hint.startswith("  hint: Move the file away, with its -wal and -shm")
    path.unlink()
    assert vif_inside("attachments").returncode == 0


@pytest.mark.parametrize("record", ["{", "{}", "[]", "null", '{"wanted": 7}'])
def test_one_damaged_record_keeps_nobody_else(netns, vif_inside, blue, new_netns, record):
    """It is named, with what to do; the others are shown and can leave; by force, it is forgotten."""
    guests = [new_netns().name, new_netns().name]
    for number, place in enumerate(guests, 1):
        assert vif_inside("attach", f"vm{number}", *ATTACH[2:], "--endpoint", place).returncode == 0
    uuid = json.loads(vif_inside("attachments", "-o", "json").stdout)[0]["uuid"]
    change(f"UPDATE attachment SET record = '{record}' WHERE key LIKE '{uuid}%'")
    shown = vif_inside("attachments")
    assert shown.returncode == 1
    assert "vm2" in shown.stdout
    first, hint = shown.stderr.splitlines()
    assert first.startswith(
        f"error: The record of interface blue of guest {uuid} in {state() / 'attachments.db'} cannot"
    )
    assert f"`vif detach --force {uuid} --as blue` forgets the record." in hint
    assert first in vif_inside("detach", "vm1").stderr
    collected = vif_inside("gc")
    assert collected.returncode == 1
    assert "attachments" in collected.stdout
    assert vif_inside("detach", "vm2").returncode == 0
    assert vif_inside("detach", "--force", uuid, "--as", "blue").returncode == 0
    assert vif_inside("attachments").returncode == 0


def test_by_force_where_the_hypervisor_driver_is_gone(netns, vif_inside, blue, new_netns):
    """The other half, and the devices of the plugin, go; what is left is named."""
    guest = new_netns()
    told = json.loads(vif_inside(*ATTACH, "--endpoint", guest.name, "-o", "json").stdout)
    change("UPDATE attachment SET record = replace(record, '\"netns\"', '\"lantern\"')")
    refused = vif_inside("detach", "vm1")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[1].endswith(
        "If it is gone for good, `vif detach --force vm1 --as blue` forgets what cannot be done."
    )
    forced = vif_inside("detach", "--force", "vm1", "--as", "blue")
    assert forced.returncode == 0
    first, problem, where = forced.stdout.splitlines()
    assert first == "vm1: blue is forgotten here."
    assert problem.startswith("could not take it from the guest: There is no hypervisor driver lantern:")
    assert where.startswith(f"Look for port {told['port_id']} on ")
    assert left(vif_inside) == [[], [], []]


def test_after_a_reboot_the_same_command_gives_the_interface_again(netns, vif_inside, new_netns):
    """The guest's namespace, the devices and the DHCP server are gone; what is recorded is not."""
    require("dnsmasq", "dnsmasq-base")
    vif_inside("network", "create", "blue", "--cidr", "192.0.2.0/24", "--dhcp")
    before, after = new_netns(), new_netns()
    first = json.loads(vif_inside(*ATTACH, "--endpoint", before.name, "-o", "json").stdout)
    (pid_file,) = state().glob("dhcp/*/pid")
    subprocess.run(["kill", "-9", pid_file.read_text().strip()], check=True)
    for name in netns.link_names():
        netns.run(["ip", "link", "del", name], check=False)
    pretend_a_reboot()
    assert json.loads(vif_inside("network", "list", "-o", "json").stdout)[0]["dhcp_runs"] is False
    again = json.loads(vif_inside(*ATTACH, "--endpoint", after.name, "-o", "json").stdout)
    assert (again["port_id"], again["mac_address"]) == (first["port_id"], first["mac_address"])
    assert after.link("eth0")["address"] == first["mac_address"]
    assert json.loads(vif_inside("network", "list", "-o", "json").stdout)[0]["dhcp_runs"] is True
    assert vif_inside("detach", "vm1").returncode == 0
    assert after.link_names() == set()
    vif_inside("network", "delete", "blue")


def test_an_interface_is_found_by_whatever_name_its_network_and_guest_have(vif_inside, blue, new_netns):
    """The network by its id, the guest's UUID in capitals."""
    told = json.loads(vif_inside(*ATTACH, "--endpoint", new_netns().name, "-o", "json").stdout)
    network = told["vif"]["versioned_object.data"]["network"]["versioned_object.data"]["id"]
    assert vif_inside("detach", "vm1", "--network", network, "--uuid", told["uuid"].upper()).returncode == 0


def test_what_is_prepared_is_checked_as_prepared(netns, vif_inside, blue, new_netns, write):
    """Its request, printed, is one that the other commands take."""
    require_tun()
    prepare = ("migrate", "prepare", "vm1", "--network", "blue", "--hypervisor", "qemu")
    told = json.loads(vif_inside(*prepare, "-o", "json").stdout)
    assert vif_inside("check").stdout == f"ok       {told['port_id']}\n"
    assert vif_inside("repair").returncode == 0
    assert "UP" not in netns.link(told["device"])["flags"]
    request = write(vif_inside("show", told["port_id"], "--request").stdout, "request.json")
    assert vif_inside("validate", request).returncode == 0
    assert vif_inside("migrate", "abort", "vm1").returncode == 0
