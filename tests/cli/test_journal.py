# SPDX-License-Identifier: Apache-2.0
"""`vif journal`: records that are lost or damaged are found out, and made anew from what is left."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from os_vif.objects.network import Network
from support import vifs
from support.vif_command import ID_A, A

BRIDGE = "br-blue"


def state() -> Path:
    return Path(os.environ["OS_VIF_STATE_DIR"])


def journal() -> Path:
    return state() / "journal.db"


def lose_journal():
    for file in state().glob("journal.db*"):
        file.unlink()


def damage_a_page(number):
    """One in the middle; all that had been written is in the file by then."""
    with sqlite3.connect(journal()) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = bytearray(journal().read_bytes())
    content[number * 4096 : (number + 1) * 4096] = b"\xaa" * 4096
    journal().write_bytes(content)


def taps(tmp_path, count):
    """A file of VIFs with taps, in one bridge; and their ids."""
    network = Network(id=vifs.identity(99), bridge=BRIDGE, should_provide_bridge=True, mtu=1400, multi_host=False)
    made = [vifs.generic(f"tap{number}", number=number, network=network) for number in range(1, count + 1)]
    path = tmp_path / "vifs.json"
    pairs = [{"vif": vif.obj_to_primitive(), "instance": vifs.INSTANCE.obj_to_primitive()} for vif in made]
    path.write_text(json.dumps(pairs))
    return path, {vif.id for vif in made}


def listed(vif_inside):
    return {one["vif_id"] for one in json.loads(vif_inside("list", "-o", "json").stdout)}


@pytest.fixture
def plugged(netns, vif_inside, tmp_path):
    """Five VIFs: the file that they are in, and their ids."""
    path, ids = taps(tmp_path, 5)
    done = vif_inside("plug", path)
    assert done.returncode == 0, done.stderr
    return path, ids


def test_a_healthy_journal(plugged, vif_inside):
    done = vif_inside("journal", "verify")
    assert (done.returncode, done.stdout) == (0, f"{journal()} is whole, and tells what is on this host.\n")
    assert vif_inside("journal", "rebuild").stdout == "Nothing to rebuild: no more is known than what is recorded.\n"


def test_rebuilt_from_marks(netns, plugged, vif_inside):
    """Devices name their VIFs: these are recorded with them, their bridge and its rules, and can be unplugged by id."""
    path, ids = plugged
    before = netns.snapshot()
    lose_journal()
    verified = vif_inside("journal", "verify")
    assert verified.returncode == 4
    assert "tap tap1 names this journal, and no record knows it" in verified.stdout
    dry = json.loads(vif_inside("journal", "rebuild", "--dry-run", "-o", "json").stdout)["records"]
    assert ({one["vif_id"] for one in dry}, {one["recorded"] for one in dry}) == (ids, {False})
    assert listed(vif_inside) == {*ids, None}
    done = json.loads(vif_inside("journal", "rebuild", "-o", "json").stdout)["records"]
    assert {(one["vif_id"], one["from"], one["recorded"]) for one in done} == {
        (vif_id, "marks on the host", True) for vif_id in ids
    }
    assert listed(vif_inside) == ids
    assert vif_inside("journal", "verify").returncode == 0
    checked = vif_inside("check", "-o", "json")
    assert (checked.returncode, {one["ok"] for one in json.loads(checked.stdout)}) == (0, {None})
    assert vif_inside("gc").stdout == "Nothing to remove.\n"
    assert netns.snapshot() == before
    first, *others = sorted(ids)
    assert vif_inside("unplug", "--id", first).returncode == 0
    assert vif_inside("gc", "--keep", ",".join(others[1:])).returncode == 0
    assert listed(vif_inside) == set(others[1:])
    assert vif_inside("unplug", path).returncode == 0
    assert netns.link_names() == set()
    assert netns.snapshot()["firewall"] == {} or "os-vif" not in str(netns.snapshot()["firewall"])


def test_a_record_made_from_marks_is_completed_by_a_plug(plugged, vif_inside):
    path, ids = plugged
    lose_journal()
    vif_inside("journal", "rebuild")
    assert vif_inside("plug", path).returncode == 0
    checked = json.loads(vif_inside("check", "-o", "json").stdout)
    assert {(one["vif_id"], one["ok"]) for one in checked} == {(vif_id, True) for vif_id in ids}


def test_rebuilt_from_a_backup(netns, plugged, vif_inside):
    """It holds what was asked for, and VIFs without a device of their own; what has gone since does not come back."""
    _, ids = plugged
    vif_inside("plug", A)
    (path,) = vif_inside("journal", "backup").stdout.splitlines()
    assert Path(path).parent == state() / "backups"
    gone = min(ids)
    vif_inside("unplug", "--id", gone)
    lose_journal()
    done = vif_inside("journal", "rebuild")
    assert (done.returncode, done.stdout.count("the backup of ")) == (0, 5)
    assert listed(vif_inside) == {*ids, ID_A} - {gone}
    checked = vif_inside("check", "-o", "json")
    assert (checked.returncode, {one["ok"] for one in json.loads(checked.stdout)}) == (0, {True})


def test_a_backup_is_better_than_marks(plugged, vif_inside, tmp_path):
    """Also where the journal was rebuilt from marks before."""
    _, ids = plugged
    vif_inside("journal", "backup")
    backup = next((state() / "backups").iterdir())
    aside = backup.rename(tmp_path / backup.name)
    lose_journal()
    vif_inside("journal", "rebuild")
    for other in (state() / "backups").iterdir():
        other.unlink()
    aside.rename(backup)
    assert vif_inside("journal", "rebuild").stdout.count("the backup of ") == len(ids)
    assert {one["ok"] for one in json.loads(vif_inside("check", "-o", "json").stdout)} == {True}


@pytest.mark.parametrize("page", range(1, 12, 2))
def test_a_damaged_page(netns, vif_inside, tmp_path, page):
    """Nothing fails without saying what to do. What can be read is kept, marks tell the rest, and all works again."""
    path, ids = taps(tmp_path, 12)
    assert vif_inside("plug", path).returncode == 0
    damage_a_page(page)
    verified = vif_inside("journal", "verify")
    assert verified.returncode == 1
    assert str(journal()) in verified.stdout
    for command in (["list"], ["check"], ["gc"]):
        done = vif_inside(*command)
        assert done.returncode in (0, 1, 4), done
        assert "Traceback" not in done.stderr
        if done.returncode == 1:
            assert "`vif journal " in done.stderr
    rebuilt = vif_inside("journal", "rebuild", "-o", "json")
    assert rebuilt.returncode == 0, rebuilt.stderr
    told = json.loads(rebuilt.stdout)
    assert Path(told["set_aside"]).exists()
    assert {one["vif_id"] for one in told["records"]} == ids
    assert {one["from"] for one in told["records"]} <= {"the damaged journal", "marks on the host"}
    assert listed(vif_inside) == ids
    assert vif_inside("journal", "verify").returncode == 0
    assert vif_inside("unplug", path).returncode == 0
    assert netns.link_names() == set()


def test_a_backup_is_made_once_a_day(plugged, vif_inside):
    """By whatever command is the first; nothing of an empty journal is kept."""
    backups = state() / "backups"
    assert not backups.exists()
    vif_inside("list")
    (first,) = backups.iterdir()
    vif_inside("list")
    assert list(backups.iterdir()) == [first]
    old = first.rename(backups / "journal.db.20200101T000000Z")
    for day in range(2, 10):
        (backups / f"journal.db.2020010{day}T000000Z").write_bytes(old.read_bytes())
    vif_inside("list")
    assert len(list(backups.iterdir())) == 7
    assert not old.exists()
    lose_journal()
    assert vif_inside("journal", "backup").stdout == "Nothing to back up: nothing is recorded.\n"


def test_a_journal_begun_anew_is_told_of_in_the_log(plugged, vif_inside):
    """By the first process that uses it, whatever it does."""
    path, _ = plugged
    lose_journal()
    done = vif_inside("plug", path)
    assert done.returncode == 0
    assert f"error: The journal {journal()} was begun anew, and 6 devices on this host name it" in done.stderr
    assert vif_inside("plug", path).stderr == ""


@pytest.mark.parametrize("hypervisor", ["netns", "qemu"])
def test_rebuilt_from_attachments(netns, vif_inside, hypervisor):
    """A guest of `vif attach` is in a file beside: its VIF is recorded again as a whole, and leaves no trace."""
    guest = f"guest-{os.getpid()}-{hypervisor}"
    assert vif_inside("network", "create", "blue", "--cidr", "192.0.2.0/24").returncode == 0
    attached = vif_inside("attach", guest, "--network", "blue", "--hypervisor", hypervisor, "-o", "json")
    assert attached.returncode == 0, attached.stderr
    before = json.loads(vif_inside("list", "-o", "json").stdout)
    devices = netns.link_names()
    lose_journal()
    for backup in state().glob("backups/*"):
        backup.unlink()
    dry = json.loads(vif_inside("journal", "rebuild", "--dry-run", "-o", "json").stdout)["records"]
    assert {one["from"] for one in dry} == {f"the attachment of guest {guest}"}
    assert vif_inside("journal", "rebuild").returncode == 0
    after = json.loads(vif_inside("list", "-o", "json").stdout)
    assert [(one["vif_id"], one["status"]) for one in after] == [(one["vif_id"], one["status"]) for one in before]
    assert vif_inside("check").returncode == 0
    assert netns.link_names() == devices
    assert vif_inside("detach", guest).returncode == 0
    assert vif_inside("network", "delete", "blue").returncode == 0
    assert netns.link_names() == set()
    assert vif_inside("gc", "--dry-run").stdout == "Nothing to remove.\n"
