# SPDX-License-Identifier: Apache-2.0
"""The journal cannot be written, or read: what then happens to plugging, and what the user is told."""

from __future__ import annotations

import json
import logging
import os
import resource
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest

from engine.kinds import KINDS
from engine.places import FakePlace, in_child
from os_vif import exception
from os_vif.host.contract.operations import Operation
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.request import Request
from os_vif.host.journal import store
from os_vif.host.state import HostState, Tap
from os_vif.testing import FakeHost
from support import missing

TAP = KINDS["tap"].request()


@pytest.fixture
def tiny_disk(tmp_path: Path):
    """A file system that has room for a journal and a little more; this process has mounts of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", place], capture_output=True, text=True
    )
    if mounted.returncode:
        missing(f"cannot mount a tmpfs here ({mounted.stderr.strip()}): run as root")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)


def test_the_disk_is_full(tiny_disk):
    """Nothing is plugged that could not be written down: the error names the journal and the cause."""
    place = FakePlace(tiny_disk / "state")
    place.engine().journal.records()
    fill(tiny_disk)
    before = place.look()
    with pytest.raises(exception.JournalError, match=r"journal\.db.*(full|disk I/O)"):
        for _ in range(50):
            place.engine().plug([TAP])
            place.engine().unplug([TAP])
    assert place.look() == before
    (tiny_disk / "filler").unlink()
    place.engine().plug([TAP])
    assert place.rows()["vif"] == 1
    place.engine().unplug([TAP])
    assert place.look() == before


def test_no_file_may_grow(fake_place):
    """With RLIMIT_FSIZE the journal cannot be written either; the host is as it was, at whatever moment it struck."""
    fake_place.engine().plug([TAP])
    fake_place.engine().unplug([TAP])
    before = fake_place.look()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        with pytest.raises(exception.JournalError):
            for _ in range(50):
                fake_place.engine().plug([TAP])
                fake_place.engine().unplug([TAP])
        assert fake_place.look() == before

    assert os.waitstatus_to_exitcode(in_child(limited)) == 0


@pytest.mark.parametrize("failing", ["write", "finish"])
def test_the_journal_fails_before_or_after_the_work(fake_place, monkeypatch, failing):
    """Whether the intent or the end cannot be written: the error says so, and the host is as it was."""
    before = fake_place.look()
    engine = fake_place.engine()

    def fails(*arguments, **options):
        raise exception.JournalError(path="journal.db", reason="disk I/O error")

    monkeypatch.setattr(engine.journal, failing, fails)
    with pytest.raises(exception.JournalError, match="disk I/O error"):
        engine.plug([TAP])
    assert fake_place.look() == before
    monkeypatch.undo()
    engine.plug([TAP])
    engine.unplug([TAP])
    assert fake_place.look() == before
    assert set(fake_place.rows().values()) == {0}


def test_a_directory_that_cannot_be_written(tmp_path, caplog):
    """Plugging works without a journal, and a warning says once what that means and what to do."""
    store._warned.clear()
    not_a_directory = tmp_path / "file"
    not_a_directory.write_text("")
    with caplog.at_level(logging.WARNING):
        opened = [store.open_store(not_a_directory / "state") for _ in range(2)]
    assert [one.volatile for one in opened] == [True, True]
    warnings = [record.getMessage() for record in caplog.records]
    assert len(warnings) == 1
    assert str(not_a_directory) in warnings[0]
    assert "OS_VIF_STATE_DIR" in warnings[0]
    host = FakeHost()
    engine = Engine(host, opened[0].journal, opened[0].locks, volatile=True)
    engine.plug([TAP])
    assert host.links["tap0"].up
    engine.unplug([TAP])
    assert sorted(host.links) == ["br0", "lo"]


def test_a_read_only_directory_for_an_ordinary_user(tmp_path):
    """The same for a directory that is there, and is not ours to write."""
    (tmp_path / "state").mkdir(mode=0o555)
    if os.geteuid() == 0 and os.access(tmp_path / "state", os.W_OK):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,mode=755", "tmpfs", tmp_path / "state"], check=True)
    opened = store.open_store(tmp_path / "state")
    assert opened.volatile
    subprocess.run(["umount", "-q", tmp_path / "state"], check=False)


def test_a_corrupt_journal_is_set_aside(tmp_path, caplog):
    """It is kept for whoever wants to look, a new one is begun, and what is on the host can still be unplugged."""
    state = tmp_path / "state"
    place = FakePlace(state)
    place.engine().plug([TAP])
    for file in state.glob("journal.db-*"):
        file.unlink()
    (state / "journal.db").write_bytes(b"this is no database, but long enough to be looked at" * 100)
    with caplog.at_level(logging.ERROR):
        opened = store.open_store(state)
    aside = [file.name for file in state.glob("journal.db.corrupt-*")]
    assert len(aside) == 1
    assert aside[0] in caplog.text
    engine = Engine(place.host, opened.journal, opened.locks)
    engine.unplug([TAP])
    assert "tap0" not in place.look()


def test_a_journal_of_a_newer_version_is_refused(fake_place):
    """It is not touched, nor is the host; the error names both formats."""
    fake_place.engine().journal.records()
    with sqlite3.connect(fake_place.state / "journal.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    before = fake_place.look()
    with pytest.raises(exception.JournalError, match=r"newer os-vif.*99"):
        fake_place.engine().plug([TAP])
    assert fake_place.look() == before
    with sqlite3.connect(fake_place.state / "journal.db") as database:
        assert database.execute("PRAGMA user_version").fetchone() == (99,)
    database.close()


DAMAGE = {
    "a resource of a plugin that is gone": "json_set(resource, '$.resource', 'Wormhole')",
    "no resource": "'7'",
    "no JSON": "'{'",
    "no text": "x'ff00'",
    "text that is none": "CAST(x'7bff7d' AS TEXT)",
    "nothing": "''",
    "a name that is a number": "json_set(resource, '$.name', 7)",
    "a MAC address that is a list": "json_set(resource, '$.mac', json('[1]'))",
    "settings that are none": "json_set(resource, '$.sysctls', 'none')",
    "a deep one": f"'{'[' * 2000}'",
}


def _address(*attributes: list[Any]) -> str:
    return json.dumps({"addresses": [{"shown": "10.0.0.1/24", "header": [2, 24, 0, 0], "attributes": attributes}]})


#: What was there before, in words that no backend has.
PRIOR = {
    "an index that is none": '{"index": "x"}',
    "an MTU that is none": '{"mtu": -1}',
    "an address without bytes": _address([1, "x"]),
    "an address that is too short": _address([8, "00"]),
    "routes that are none": '{"routes": ["default"]}',
    "a setting that is none": '{"sysctl ipv6/disable_ipv6": 1}',
}


def change(place: FakePlace, statement: str) -> None:
    with sqlite3.connect(place.state / "journal.db") as database:
        assert database.execute(statement).rowcount
    database.close()


@pytest.mark.parametrize(
    "damage",
    [*(f"resource = {damage}" for damage in DAMAGE.values()), *(f"prior = '{prior}'" for prior in PRIOR.values())],
    ids=[*DAMAGE, *PRIOR],
)
def test_what_is_held_cannot_be_read(fake_place, caplog, damage):
    """Told in words; the VIF is unplugged by what it states and the marks, or plugged again and recorded anew."""
    for act in ("plug", "unplug"):
        before = fake_place.look()
        fake_place.engine().plug([TAP])
        change(fake_place, f"UPDATE holding SET {damage} WHERE key = 'link/tap0'")
        caplog.clear()
        getattr(fake_place.engine(), act)([TAP])
        assert f"What is held of link/tap0 in {fake_place.state / 'journal.db'} cannot be read: " in caplog.text
        caplog.clear()
        fake_place.engine().unplug([TAP])
        assert caplog.text == ""
        assert fake_place.look() == before
        assert set(fake_place.rows().values()) == {0}


@pytest.mark.parametrize("column", ["request", "desired", "steps", "plugin", "generation", "status", "changed"])
def test_a_record_cannot_be_read(fake_place, caplog, column):
    """It is named; the others are there, nothing of it is taken for an orphan, and it is unplugged by what is held."""
    before = fake_place.look()
    other = Request("vif-2", "some", HostState((Tap(name="tap2"),)), "os_vif.privsep")
    fake_place.engine().plug([TAP])
    fake_place.engine().plug([other])
    change(fake_place, f"UPDATE vif SET {column} = x'ff' WHERE vif_id = '{TAP.vif_id}'")
    journal = fake_place.engine().journal
    assert [record.vif_id for record in journal.records()] == [other.vif_id]
    assert f"The record of VIF {TAP.vif_id} in {journal.path} cannot be read: " in caplog.text
    assert [one.vif_id for one in journal.sorted_out()[1]] == [TAP.vif_id]
    during = fake_place.look()
    found = fake_place.collect_garbage()
    assert [(one.kind, one.removed, one.error.code) for one in found] == [("unreadable", False, "record-damaged")]
    assert fake_place.look() == during
    fake_place.engine().unplug([TAP])
    fake_place.engine().unplug([other])
    assert fake_place.look() == before
    assert set(fake_place.rows().values()) == {0}


def test_one_bad_record_does_not_stop_garbage_collection(fake_place):
    """What was left half done goes, also what a bad record is of; what nobody uses and nobody can read is forgotten."""
    before = fake_place.look()
    for number in range(3):
        request = Request(f"vif-{number}", "some", HostState((Tap(name=f"tap{number}"),)), "os_vif.privsep")
        fake_place.engine().plug([request])
    change(fake_place, "UPDATE vif SET status = 'plugging'")
    change(fake_place, "UPDATE holding SET resource = '{' WHERE key = 'link/tap1'")
    change(fake_place, "UPDATE vif SET request = '' WHERE vif_id = 'vif-2'")
    found = fake_place.collect_garbage()
    assert [(one.kind, one.vif_id, one.removed) for one in found] == [
        ("unfinished", "vif-0", True),
        ("unfinished", "vif-1", True),
        ("unreadable", "vif-2", False),
        ("unreadable", "vif-1", True),
    ]
    change(fake_place, "DELETE FROM use")
    change(fake_place, "DELETE FROM vif")
    change(fake_place, "UPDATE holding SET resource = '{'")
    assert [(one.kind, one.removed) for one in fake_place.collect_garbage()] == [("unreadable", True)]
    assert fake_place.rows()["holding"] == 0
    fake_place.host.run([Operation("link.delete", {"name": "tap2"})], "")
    assert fake_place.look() == before
