# SPDX-License-Identifier: Apache-2.0
"""list, show, gc and restore: what the journal knows, after crashes and reboots too."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from support.vif_command import BRIDGE, CHAIN, ID_A, ID_B, A, B


def journal() -> Path:
    return Path(os.environ["OS_VIF_STATE_DIR"]) / "journal.db"


def pretend_a_reboot() -> None:
    """As the journal looks after the machine was down: its records are of another boot. (A namespace made in a test
    is not the machine's own, whose name outlives a reboot.)"""
    with sqlite3.connect(journal()) as database:
        for table in ("vif", "holding", "use"):
            database.execute(f"UPDATE {table} SET boot = 'earlier'")
    database.close()


def test_list_tells_people(netns, vif_inside):
    """A line for each VIF."""
    assert vif_inside("list").stdout == f"Nothing is recorded in {journal()}.\n"
    vif_inside("plug", A)
    heading, line = vif_inside("list").stdout.splitlines()
    assert heading.split() == ["DEVICE", "PLUGIN", "STATUS", "SINCE", "WHERE", "VIF"]
    device, plugin, status, day, time, where, vif_id = line.split()
    assert (vif_id, plugin, device, status, where) == (ID_A, "linux_bridge", "tap4c9f2e6a-1d", "plugged", "here")
    assert (len(day), len(time)) == (10, 8)


def test_list_tells_programs(netns, vif_inside):
    """The same as JSON, with boot and namespace."""
    vif_inside("plug", A)
    (one,) = json.loads(vif_inside("list", "-o", "json").stdout)
    assert one["boot"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert one["changed"].endswith("Z")
    assert {key: one[key] for key in ("vif_id", "plugin", "device", "status", "generation", "where")} == {
        "vif_id": ID_A,
        "plugin": "linux_bridge",
        "device": "tap4c9f2e6a-1d",
        "status": "plugged",
        "generation": 1,
        "where": "here",
    }


def test_list_tells_where(new_netns, netns, vif_inside, vif):
    """A VIF of another network namespace is listed as such, and `check` leaves it alone."""
    vif_inside("plug", A)
    assert vif("list").stdout.splitlines()[1].endswith(f"another network namespace  {ID_A}")
    assert vif("check").stdout == f"Nothing is recorded here ({journal()}).\n"


def test_show_tells_what_a_vif_uses(netns, vif_inside):
    """The record, and below it the resources."""
    vif_inside("plug", A)
    shown = vif_inside("show", ID_A[:6]).stdout.splitlines()
    assert shown[0] == f"vif id      {ID_A}"
    assert shown[3] == "status      plugged"
    assert [line.split() for line in shown[-3:]] == [
        ["bridge", BRIDGE, "yes", "yes", "-"],
        ["ipv4", "chain", CHAIN, "yes", "yes", "-"],
        ["ipv6", "chain", CHAIN, "yes", "yes", "-"],
    ]


def test_show_prints_a_request_that_can_be_plugged_again(netns, vif_inside):
    """--request is a document that `unplug` and `plug` take."""
    vif_inside("plug", A)
    request = vif_inside("show", ID_A, "--request").stdout
    assert json.loads(request) == json.loads(A.read_text())
    assert vif_inside("unplug", "-", input=request).returncode == 0
    assert netns.link_names() == set()


def test_show_of_what_nobody_knows(vif):
    """Exit code 6, and where it was looked for."""
    shown = vif("show", ID_A)
    assert shown.returncode == 6
    assert shown.stderr.splitlines() == [
        f"error: No VIF {ID_A} is recorded here ({journal()}).",
        "  hint: `vif list` shows what is; --state-dir chooses another journal.",
    ]


def test_a_beginning_that_fits_several(netns, vif_inside, document, write):
    """It is refused, and the ids that fit are listed."""
    other = ID_A[:-1] + "5"
    document["vif"]["versioned_object.data"]["id"] = other
    vif_inside("plug", A, write(document))
    shown = vif_inside("show", ID_A[:8])
    assert shown.returncode == 2
    assert shown.stderr.splitlines() == [
        f"error: Several ids begin with {ID_A[:8]}: {ID_A}, {other}.",
        "  hint: Give more of it.",
    ]


def test_gc_keeps_what_is_to_be_kept(netns, vif_inside):
    """--keep unplugs the others; --dry-run only says so; ids come from stdin too."""
    vif_inside("plug", A, B)
    before = netns.snapshot()
    tried = vif_inside("gc", "--keep", "-", "--dry-run", input=f"{ID_A}\n")
    assert tried.returncode == 0
    assert tried.stdout.splitlines()[1].split("  ") == [
        f"VIF {ID_B}",
        "is not among the VIFs to keep",
        "would be removed",
    ]
    assert netns.snapshot() == before
    collected = json.loads(vif_inside("gc", "--keep", ID_A, "-o", "json").stdout)
    assert [(one["kind"], one["vif_id"], one["removed"], one["error"]) for one in collected] == [
        ("unwanted", ID_B, True, None)
    ]
    assert [one["vif_id"] for one in json.loads(vif_inside("list", "-o", "json").stdout)] == [ID_A]


def test_gc_does_not_take_an_empty_list_for_none(netns, vif_inside):
    """An empty list, as a command that failed prints it, would unplug everything."""
    vif_inside("plug", A)
    refused = vif_inside("gc", "--keep", "-", input="\n")
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        "error: The list of VIFs to keep is empty; that would unplug every VIF.",
        "  hint: Say --keep none if that is what you want.",
    ]
    assert netns.link_names() == {BRIDGE}
    assert vif_inside("gc", "--keep", "none").returncode == 0
    assert netns.link_names() == set()


def lose_journal():
    for file in journal().parent.iterdir():
        file.unlink()


BEGUN = (
    "error: The journal {} was begun anew, and 1 device on this host name it: its records were lost."
    " VIFs can be plugged and unplugged; `vif journal rebuild` makes the records anew.\n"
)
LOST = (
    "warning: The journal {} has lost records: 1 device or port on this host name it and are not in it."
    " `vif journal rebuild` makes the records anew; docs/operating.md tells more.\n"
)


def test_gc_removes_what_a_lost_journal_has_left(netns, vif_inside):
    """Without a record, the mark on the bridge is what it goes by, and only if asked to."""
    vif_inside("plug", A)
    lose_journal()
    collected = vif_inside("gc")
    row = [f"bridge {BRIDGE}", "bears the mark of os-vif, and no record knows it"]
    assert collected.stdout.splitlines()[1].split("  ") == [
        *row,
        "left: only --orphans removes what no record tells of",
    ]
    assert (collected.returncode, collected.stderr) == (4, BEGUN.format(journal()) + LOST.format(journal()))
    assert netns.link_names() == {BRIDGE}
    collected = vif_inside("gc", "--orphans")
    assert collected.stdout.splitlines()[1].split("  ") == [*row, "removed"]
    assert (collected.returncode, collected.stderr) == (0, "")
    assert netns.link_names() == set()
    assert vif_inside("gc").stdout == "Nothing to remove.\n"


@pytest.mark.parametrize("command", ["list", "check", "repair", "gc"])
def test_lost_records_are_told_of_by_every_command(netns, vif_inside, command):
    """To people and to programs; and what compares says that it differs."""
    vif_inside("plug", A)
    lose_journal()
    assert vif_inside(command).stderr == BEGUN.format(journal()) + LOST.format(journal())
    done = vif_inside(command)
    assert done.stderr == LOST.format(journal())
    assert done.returncode == (0 if command == "list" else 4)
    told = json.loads(vif_inside(command, "-o", "json").stdout)
    if command == "list":
        assert [(one["vif_id"], one["status"], one["where"]) for one in told] == [(None, "not recorded", "here")]
    elif command == "check":
        difference = f"bridge {BRIDGE} names this journal, and no record knows it"
        assert [(one["ok"], one["recorded"], one["differences"]) for one in told] == [(False, False, [difference])]
    elif command == "repair":
        assert told["not_recorded"] == [{"vif_id": None, "what": [f"bridge {BRIDGE}"]}]
    else:
        assert [(one["lost"], one["removed"]) for one in told] == [(True, False)]


def test_another_journal_is_not_told_of_what_it_never_knew(netns, vif_inside, tmp_path):
    """Somebody with a state directory of his own has lost nothing."""
    vif_inside("plug", A)
    done = vif_inside("check", "--state-dir", tmp_path / "other")
    assert (done.returncode, done.stderr) == (0, "")


def test_restore_plugs_what_was_plugged_before_the_reboot(netns, vif_inside):
    """After a reboot nothing is on the host; restore plugs it again, once."""
    vif_inside("plug", A)
    snapshot = netns.snapshot()
    vif_inside("unplug", A)
    vif_inside("plug", A)
    pretend_a_reboot()
    netns.run(["iptables", "-F"])
    netns.run(["iptables", "-X"])
    netns.ip("link", "delete", BRIDGE)
    assert vif_inside("list").stdout.splitlines()[1].endswith(f"before the reboot  {ID_A}")
    restored = vif_inside("restore")
    assert restored.returncode == 0, restored.stderr
    assert restored.stdout.splitlines()[1].split() == [ID_A, "restored"]
    assert netns.snapshot()["firewall"] == snapshot["firewall"]
    assert vif_inside("check").returncode == 0
    assert vif_inside("restore").stdout == "Nothing to restore: no VIF is recorded from before the reboot.\n"


@pytest.mark.parametrize("status", ["plugging", "unplugging"])
def test_work_that_was_cut_off_is_told(netns, vif_inside, status):
    """check says that it was cut off, and repair finishes it."""
    vif_inside("plug", A)
    with sqlite3.connect(journal()) as database:
        database.execute("UPDATE vif SET status = ?", (status,))
    database.close()
    checked = vif_inside("check")
    assert checked.returncode == 4
    assert checked.stdout.splitlines()[:2] == [f"differs  {ID_A}", f"         {status} was cut off"]
    assert vif_inside("repair").returncode == 0
    assert vif_inside("check").returncode == 0


def test_one_record_that_cannot_be_read(netns, vif_inside):
    """Every command names it, says what to do, and does the rest; unplugged by its file, all of it is gone."""
    for file in (A, B):
        assert vif_inside("plug", file).returncode == 0
    with sqlite3.connect(journal()) as database:
        database.execute("UPDATE vif SET desired = '{' WHERE vif_id = ?", (ID_A,))
    database.close()
    damaged = f"The record of VIF {ID_A} in {journal()} cannot be read: "
    listed = vif_inside("list")
    assert (listed.returncode, ID_B in listed.stdout) == (0, True)
    assert f"warning: {damaged}" in listed.stderr
    checked = vif_inside("check")
    assert checked.returncode == 1
    assert f"error: {damaged}" in checked.stderr
    assert "hint: Unplug the VIF, or plug it again" in checked.stderr
    assert f"failed   {ID_A}" in checked.stdout
    assert f"ok       {ID_B}" in checked.stdout
    before = netns.snapshot()
    collected = vif_inside("gc", "--keep", f"{ID_A},{ID_B}")
    assert collected.returncode == 1
    assert "cannot be read" in collected.stdout
    assert netns.snapshot() == before
    for file in (A, B):
        assert vif_inside("unplug", file).returncode == 0
    assert netns.link_names() == set()
    assert vif_inside("check").stderr == ""


def test_restoring_beside_a_record_that_cannot_be_read(netns, vif_inside):
    """The others are restored; it is reported."""
    for file in (A, B):
        assert vif_inside("plug", file).returncode == 0
    pretend_a_reboot()
    with sqlite3.connect(journal()) as database:
        database.execute("UPDATE vif SET request = '[]' WHERE vif_id = ?", (ID_A,))
    database.close()
    restored = vif_inside("restore")
    assert restored.returncode == 1
    assert {tuple(line.split()[:2]) for line in restored.stdout.splitlines()[1:]} >= {
        (ID_B, "restored"),
        (ID_A, "failed:"),
    }
