# SPDX-License-Identifier: Apache-2.0
"""The store in trouble, on real file systems and with real locks: who reads, who plugs, who unplugs, and how long."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.places import FakePlace, in_child
from os_vif import exception
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.request import Request
from os_vif.host.journal import store
from os_vif.host.journal.journal import Journal
from os_vif.host.journal.locks import Locks
from os_vif.host.process import deadline
from os_vif.host.state import Bridge, HostState, Tap
from os_vif.testing import FakeHost
from support import missing
from support.unprivileged import NOBODY, require_second_user


def guest(number: int, *more: object) -> Request:
    resources = (*more, Tap(name=f"tap{number}", master=more[0].name if more else None))
    return Request(f"vif-{number}", "some", HostState(resources), "os_vif.privsep")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k,mode=0700", "tmpfs", place], capture_output=True, text=True
    )
    if mounted.returncode:
        missing(f"cannot mount a tmpfs here ({mounted.stderr.strip()}): run as root")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(place: FakePlace) -> None:
    with contextlib.suppress(OSError), (place.state / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 512)


def make_read_only(place: FakePlace) -> None:
    subprocess.run(["mount", "-o", "remount,bind,ro", place.state], check=True)


def make_usable(place: FakePlace) -> None:
    subprocess.run(["mount", "-o", "remount,bind,rw", place.state], check=True)
    (place.state / "filler").unlink(missing_ok=True)


def opened(place: FakePlace, seconds: float = 60.0) -> Engine:
    """As a process that starts makes it."""
    found = store.open_store(place.state)
    return Engine(place.host, found.journal, found.locks, volatile=found.volatile, seconds=seconds)


@contextlib.contextmanager
def locked(path: Path, how: str = "BEGIN EXCLUSIVE") -> Iterator[None]:
    """Another process keeps the file locked: here another connection, of which SQLite knows nothing that counts."""
    database = sqlite3.connect(path, isolation_level=None)
    for statement in how.split(";"):
        database.execute(statement).fetchall()
    try:
        yield
    finally:
        database.close()


@pytest.mark.parametrize("trouble", [fill, make_read_only])
@pytest.mark.parametrize("was_closed", [True, False])
def test_a_disk_that_cannot_be_written(disk, caplog, trouble, was_closed):
    """All that reads works, plugging is refused in words, unplugging works and says what it could not write."""
    place = FakePlace(disk)
    before = place.look()
    engine = opened(place)
    engine.plug([guest(1, Bridge(name="br0", shared=True)), guest(2, Bridge(name="br0", shared=True))])
    if was_closed or trouble is make_read_only:  # what is open for writing bars a remount
        engine.journal.close()
    trouble(place)
    with contextlib.ExitStack() as stack:
        stack.callback(make_usable, place)
        fresh = opened(place)
        assert not fresh.volatile
        assert [record.vif_id for record in fresh.journal.records()] == ["vif-1", "vif-2"]
        assert len(fresh.plan([guest(1, Bridge(name="br0", shared=True))])) == 0
        during = place.look()
        with pytest.raises(
            exception.JournalError, match=r"(journal\.db|locks) cannot be used: .*(full|[Rr]ead-only)"
        ) as no:
            fresh.plug([guest(3)])
        assert str(place.state) in no.value.hint
        assert place.look() == during
        fresh.unplug([guest(1, Bridge(name="br0", shared=True))])
        assert sorted(set(during) - set(place.look())) == ["tap1"]
        assert "VIF vif-1: unplugged, but that cannot be written down. The journal" in caplog.text
        opened(place).unplug([guest(2, Bridge(name="br0", shared=True))])
    engine = opened(place)
    engine.unplug([guest(1, Bridge(name="br0", shared=True)), guest(2, Bridge(name="br0", shared=True))])
    assert place.look() == before
    assert set(place.rows().values()) == {0}


def test_somebody_keeps_the_journal_locked(fake_place, caplog):
    """Readers do not notice, who plugs is told in time, and who unplugs waits no longer than files are worth."""
    engine = opened(fake_place, seconds=0.4)
    before = fake_place.look()
    engine.plug([guest(1)])
    with locked(fake_place.state / "journal.db"):
        started = time.monotonic()
        assert [record.vif_id for record in opened(fake_place).journal.records()] == ["vif-1"]
        with pytest.raises(exception.JournalBusy, match=r"journal\.db cannot be used: another process keeps it locked"):
            engine.plug([guest(2)])
        engine.unplug([guest(1)])
        assert time.monotonic() - started < 20
        assert fake_place.look() == before
    assert "VIF vif-1: unplugged, but that cannot be written down" in caplog.text
    engine.unplug([guest(1)])
    assert set(fake_place.rows().values()) == {0}


def test_locked_against_readers_as_well(fake_place):
    """As by a program that wants it to itself; a call that has no time left asks once."""
    opened(fake_place).plug([guest(1)])
    with locked(fake_place.state / "journal.db", "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM use"):
        engine = opened(fake_place)
        with deadline.of_call(0.2), pytest.raises(exception.JournalBusy) as busy:
            engine.journal.records()
        assert busy.value.retriable
        assert "fuser -v" in busy.value.hint
        with deadline.of_call(0.2):
            engine.unplug([guest(1)])
    assert "tap1" not in fake_place.look()


def test_the_waits_of_a_call_have_one_end(fake_place):
    """However many there are: of an outer call, and of those inside of it."""
    opened(fake_place).plug([guest(1)])
    journal = Journal(fake_place.state / "journal.db")
    with locked(fake_place.state / "journal.db"), deadline.of_call(0.5):
        started = time.monotonic()
        for _ in range(50):
            with deadline.of_call(30), pytest.raises(exception.JournalBusy):
                journal.forget(fake_place.engine().scope(), "vif-1", ())
        assert time.monotonic() - started < 15


def test_the_lock_file_cannot_be_used(fake_place, caplog):
    """Plugging is refused; who unplugs locks the directory, so that two do not work on the same thing."""
    engine = opened(fake_place, seconds=0.3)
    engine.plug([guest(1)])
    (fake_place.state / "locks").unlink()
    (fake_place.state / "locks").mkdir()
    with pytest.raises(exception.JournalError, match=r"/locks cannot be used: Is a directory"):
        engine.plug([guest(2)])

    directory = os.open(fake_place.state, os.O_RDONLY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    with pytest.raises(exception.DeadlineExceeded, match=r"the lock of .*/locks, which another process holds"):
        engine.unplug([guest(1)])
    os.close(directory)
    engine.unplug([guest(1)])
    assert "tap1" not in fake_place.look()


def test_the_directory_lock_is_shared_by_the_calls_of_a_process(tmp_path):
    """One inside another does not wait for itself; a child of the process is another one."""
    (tmp_path / "locks").mkdir()
    end = deadline.Deadline(10)
    outer, inner = Locks(tmp_path / "locks"), Locks(tmp_path / "locks")
    with outer.hold(["attachment/a"], end, in_any_case=True), inner.hold(["vif/b"], end, in_any_case=True):

        def waits() -> None:
            with (
                pytest.raises(exception.DeadlineExceeded),
                Locks(tmp_path / "locks").hold(["vif/c"], deadline.Deadline(0.1), in_any_case=True),
            ):
                pass

        assert os.waitstatus_to_exitcode(in_child(waits)) == 0
    with Locks(tmp_path / "locks").hold(["vif/c"], deadline.Deadline(0.1), in_any_case=True):
        pass


@pytest.mark.parametrize("how", ["file", "all", "directory", "exchanged"])
def test_the_file_is_gone_while_the_process_runs(fake_place, caplog, how):
    """It begins anew where others look for it, and not in what nobody sees; unplugging goes by the marks."""
    before = fake_place.look()
    engine = opened(fake_place)
    engine.plug([guest(1)])
    if how == "file":
        (fake_place.state / "journal.db").unlink()
    elif how == "exchanged":
        (fake_place.state / "other.db").write_bytes(b"")
        (fake_place.state / "other.db").replace(fake_place.state / "journal.db")
    else:
        shutil.rmtree(fake_place.state)
        if how == "all":
            fake_place.state.mkdir(mode=0o700)
    engine.plug([guest(2)])
    assert f"{fake_place.state / 'journal.db'} was removed or replaced while it was in use" in caplog.text
    assert "vif-2" in [record.vif_id for record in opened(fake_place).journal.records()]
    engine.unplug([guest(1)])
    engine.unplug([guest(2)])
    assert fake_place.look() == before
    assert set(fake_place.rows().values()) == {0}


def test_the_directory_is_gone_for_good(fake_place, caplog):
    """There is no place for another one: plugging is refused, and unplugging goes by the marks."""
    before = fake_place.look()
    engine = opened(fake_place)
    engine.plug([guest(1)])
    shutil.rmtree(fake_place.state)
    fake_place.state.write_text("a file in its place")
    with pytest.raises(exception.JournalError, match="cannot be used: Not a directory"):
        engine.plug([guest(2)])
    engine.unplug([guest(1)])
    assert fake_place.look() == before
    assert "Other processes are not kept from working on the same" in caplog.text
    assert "VIF vif-1: unplugged by the marks on what was made, because the record cannot be read" in caplog.text


def test_another_file_system_comes_to_its_place(fake_place):
    """What was there before it is not written any more: nobody would see that."""
    engine = opened(fake_place)
    engine.plug([guest(1)])
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", fake_place.state], check=False)
    if mounted.returncode:
        missing("cannot mount a tmpfs here: run as root")
    try:
        engine.plug([guest(2)])
        assert [record.vif_id for record in opened(fake_place).journal.records()] == ["vif-2"]
    finally:
        subprocess.run(["umount", "--lazy", fake_place.state], check=True)
    assert [record.vif_id for record in engine.journal.records()] == ["vif-1"]


@pytest.fixture
def theirs() -> Iterator[Path]:
    """The state directory of a service, as docs/operating.md has it made; `etc` beside it stands for root's files.

    Not below pytest's own, which are closed to others.
    """
    require_second_user()
    with tempfile.TemporaryDirectory(prefix="os-vif-") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "etc").mkdir()
        (place / "theirs").mkdir(mode=0o700)
        os.chown(place / "theirs", NOBODY, NOBODY)
        yield place / "theirs"


def owners(directory: Path) -> set[int]:
    return {path.lstat().st_uid for path in directory.iterdir()}


def test_root_in_the_directory_of_a_service(theirs):
    """All that it makes there is the service's, from the first moment on, and both go on with it."""
    host = FakeHost()
    found = store.open_store(theirs)
    engine = Engine(host, found.journal, found.locks)
    engine.plug([guest(1)])
    assert owners(theirs) == {NOBODY}
    assert {path.name for path in theirs.iterdir()} == {"journal.db", "journal.db-wal", "journal.db-shm", "locks"}
    engine.journal.close()
    assert os.geteuid() == 0
    (theirs.parent / "etc" / "mine").touch()  # with all rights of its own again
    assert (theirs.parent / "etc" / "mine").stat().st_uid == 0


#: What the kernel says when asked to open as a file what is none.
_WORDS = "(Too many levels of symbolic links|Is a directory|Permission denied)"


@pytest.mark.parametrize("name", ["journal.db", "journal.db-wal", "journal.db-shm", "journal.db-journal", "locks"])
@pytest.mark.parametrize("plant", ["link to nothing", "link", "hard link", "FIFO", "directory", "root's"])
def test_what_the_owner_of_the_directory_plants(theirs, name, plant):
    """It is not followed, opened, made, or given away; the error names it, and whose it is; unplugging goes on."""
    target, planted = theirs.parent / "etc" / "shadow", theirs / name
    if plant != "link to nothing":
        target.write_text("root's secret")
        target.chmod(0o600)
    if "link to" in plant or plant == "link":
        planted.symlink_to(target)
        os.lchown(planted, NOBODY, NOBODY)
    elif plant == "hard link":
        os.link(target, planted)
    elif plant == "root's":
        planted.write_bytes(b"")
    else:
        os.mkfifo(planted) if plant == "FIFO" else planted.mkdir()
        os.chown(planted, NOBODY, NOBODY)
    host = FakeHost()
    found = store.open_store(theirs)
    engine = Engine(host, found.journal, found.locks, seconds=5)
    with pytest.raises(
        exception.JournalError, match=f"{planted}( is not used: it belongs to| cannot be used: {_WORDS})"
    ):
        engine.plug([guest(1)])
    Engine(host, Journal(":memory:"), Locks(None)).plug([guest(1)])
    engine.unplug([guest(1)])
    assert "tap1" not in host.links
    if plant == "link to nothing":
        assert list((theirs.parent / "etc").iterdir()) == []
    else:
        assert (target.read_text(), target.stat().st_uid) == ("root's secret", 0)


def test_exchanged_between_the_look_and_the_opening(theirs, monkeypatch):
    """A link that comes to the place just then leads root to nothing that the service could not open as well."""
    secret = theirs.parent / "etc" / "shadow"
    from os_vif.host.journal import sqlite_file

    connect = sqlite3.connect

    def exchanged(path: str, **options: object) -> sqlite3.Connection:
        Path(path).unlink()
        Path(path).symlink_to(secret)
        return connect(path, **options)

    monkeypatch.setattr(sqlite_file.sqlite3, "connect", exchanged)
    journal = Journal(theirs / "journal.db")
    with pytest.raises(exception.UntrustedFile, match="it is no ordinary file"):
        journal.records()
    assert not secret.exists()
