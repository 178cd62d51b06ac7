# SPDX-License-Identifier: Apache-2.0
"""The journal cannot be written, or read: what then happens to plugging, and what the user is told."""

from __future__ import annotations

import logging
import os
import resource
import sqlite3
import subprocess
from pathlib import Path

import pytest

from engine.kinds import KINDS
from engine.places import FakePlace, in_child
from os_vif import exception
from os_vif.host import store
from os_vif.host.engine import Engine
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


def test_a_resource_of_an_unknown_type(fake_place):
    """A record of a plugin whose resources are not known here is an error in words, not a KeyError."""
    fake_place.engine().plug([TAP])
    with sqlite3.connect(fake_place.state / "journal.db") as database:
        database.execute("UPDATE holding SET resource = json_set(resource, '$.resource', 'Wormhole')")
    database.close()
    with pytest.raises(exception.HostError, match="Wormhole"):
        fake_place.engine().unplug([TAP])
