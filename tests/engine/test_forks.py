# SPDX-License-Identifier: Apache-2.0
"""A process that plugs may fork at any time: neither it nor its children lose a record, or wait for the other."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from engine.places import in_child
from os_vif import exception
from os_vif.host.journal.journal import PLUGGED, Journal, Record, Scope
from os_vif.host.journal.locks import Locks
from os_vif.host.process import children as child_processes
from os_vif.host.process.deadline import Deadline
from os_vif.testing.conformance.processes import start

NAME = "initial/vif/vif-7"
SCOPE = Scope("boot", "initial")


class Gate:
    """Closed for all processes, until one opens it."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()

    def open(self) -> None:
        os.write(self._writing, b"!")

    def wait(self) -> None:
        assert os.read(self._reading, 1)


def write(journal: Journal, vif_id: str) -> None:
    record = Record(vif_id, "some", "", PLUGGED, 1, "{}", "[]", "[]", time.time(), SCOPE)
    journal.write([(record, ())])


def read(journal: Journal) -> list[str]:
    return sorted(record.vif_id for record in journal.records())


def ended_well(child: int) -> bool:
    return os.waitpid(child, 0)[1] == 0


def in_thread(act: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_a_child_goes_on_when_its_parent_has_ended(tmp_path):
    """What each of them writes is in the same file, whoever closes it first."""
    journal, parent_has_ended = Journal(tmp_path / "journal.db"), Gate()
    write(journal, "before")

    def child() -> None:
        write(journal, "child")
        parent_has_ended.wait()
        write(journal, "child, later")
        os.kill(os.getpid(), signal.SIGKILL)

    pid = start(child)
    write(journal, "parent")
    while "child" not in read(journal):
        time.sleep(0.001)
    journal.close()
    parent_has_ended.open()
    os.waitpid(pid, 0)
    assert read(Journal(tmp_path / "journal.db")) == ["before", "child", "child, later", "parent"]


def test_while_threads_of_the_parent_write(tmp_path):
    """No child inherits a transaction that nobody ends."""
    journal, end = Journal(tmp_path / "journal.db"), threading.Event()

    def keep_writing() -> None:
        while not end.is_set():
            write(journal, "parent")

    threads = [in_thread(keep_writing) for _ in range(4)]
    children = [start(lambda number=number: write(journal, f"child {number}")) for number in range(20)]
    assert all(map(ended_well, children))
    end.set()
    for thread in threads:
        thread.join()
    assert len(read(journal)) == 21


def test_in_memory(tmp_path):
    """A child goes on from what its parent knew; the parent does not notice."""
    journal = Journal(":memory:")
    write(journal, "before")

    def child() -> None:
        write(journal, "child")
        assert read(journal) == ["before", "child"]

    assert in_child(child) == 0
    assert read(journal) == ["before"]


def test_a_child_does_not_wait_for_threads_that_it_has_not():
    """Locks that are held between threads only are free in a child."""
    locks, held, end = Locks(None), threading.Event(), threading.Event()

    def hold() -> None:
        with locks.hold([NAME], Deadline(5)):
            held.set()
            end.wait()

    def child() -> None:
        with locks.hold([NAME], Deadline(0.05)):
            pass

    thread = in_thread(hold)
    held.wait()
    status = in_child(child)
    end.set()
    thread.join()
    assert status == 0


@pytest.fixture
def living() -> list[int]:
    """Processes to kill at the end."""
    children: list[int] = []
    yield children
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_child_does_not_keep_what_its_parent_lets_go(tmp_path, living):
    """It was forked while its parent held a lock, and lives on: the lock goes with the parent's work."""
    locks = Locks(tmp_path / "locks")
    with locks.hold([NAME], Deadline(5)):
        living.append(start(signal.pause))
    with Locks(tmp_path / "locks").hold([NAME], Deadline(0.05)):
        pass


def test_a_child_does_not_keep_what_a_killed_parent_held(tmp_path):
    """The same, when the parent is killed at its work."""
    locks, held, end = Locks(tmp_path / "locks"), Gate(), Gate()

    def parent() -> None:
        with locks.hold([NAME], Deadline(5)):
            start(lambda: (held.open(), end.wait()))
            signal.pause()

    pid = start(parent)
    held.wait()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    try:
        with locks.hold([NAME], Deadline(0.05)):
            pass
    finally:
        end.open()


def test_a_child_may_leave_the_work_of_its_parent(tmp_path):
    """Forked in the middle of it, by the start of a helper, say; the parent's lock stays where it is."""
    locks = Locks(tmp_path / "locks")
    work = locks.hold([NAME], Deadline(5))
    work.__enter__()
    assert in_child(lambda: work.__exit__(None, None, None)) == 0
    with pytest.raises(exception.DeadlineExceeded), Locks(tmp_path / "locks").hold([NAME], Deadline(0.05)):
        pass
    work.__exit__(None, None, None)
    with locks.hold([NAME], Deadline(0.05)):
        pass


def test_a_child_that_lives_on_holds_up_no_program(netns):
    """A program that is run while another thread forks is over when it has ended, whoever has its files open."""
    done = threading.Event()
    children = []

    def fork():
        while not done.is_set() and len(children) < 200:
            children.append(os.fork())
            if not children[-1]:
                time.sleep(600)
                os._exit(0)
            time.sleep(0.002)

    forking = threading.Thread(target=fork)
    forking.start()
    try:
        for _ in range(20):
            ended = child_processes.run(["/bin/sh", "-c", "cat; echo told >&2; exit 3"], seconds=300, text="said\n")
            assert ended == child_processes.Ended(3, "said\n", "told\n")
    finally:
        done.set()
        forking.join()
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def test_a_program_that_takes_too_long_is_ended():
    """Whoever waits for it is told."""
    with pytest.raises(child_processes.TookTooLong):
        child_processes.run(["/bin/sleep", "600"], seconds=0.05)
