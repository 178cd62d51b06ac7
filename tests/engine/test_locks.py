# SPDX-License-Identifier: Apache-2.0
"""Locks between threads and processes: nobody waits for ever, and the dead hold nothing."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from engine.places import in_child
from engine.test_concurrency import start
from os_vif import exception
from os_vif.host.journal.locks import Locks
from os_vif.host.process.deadline import Deadline

NAME = "initial/vif/vif-7"


def test_the_deadline_names_the_lock_and_who_holds_it(tmp_path):
    """Another thread holds it: the error says how long it was waited, for what, and where the holder is."""
    locks = Locks(tmp_path / "locks")
    with locks.hold([NAME], Deadline(5)):
        errors: list[Exception] = []

        def wait() -> None:
            try:
                with locks.hold([NAME], Deadline(0.05)):
                    pass
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join()
    assert isinstance(errors[0], exception.DeadlineExceeded)
    assert all(part in str(errors[0]) for part in ("0.05 seconds", NAME, "another thread"))
    with locks.hold([NAME], Deadline(0.05)):
        pass


def test_no_names_are_kept(tmp_path):
    """Locks that were held and let go, or waited for in vain, leave nothing in memory and nothing on disk."""
    locks = Locks(tmp_path / "locks")
    for number in range(100):
        with locks.hold([f"initial/vif/{number}", NAME], Deadline(5)):
            pass
    assert locks._threads == {}
    assert (tmp_path / "locks").stat().st_size == 0
    assert [file.name for file in tmp_path.iterdir()] == ["locks"]


def test_a_killed_process_holds_nothing(tmp_path):
    """While it lives others wait until their deadline; the moment it is killed the lock is free."""
    path = tmp_path / "locks"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with Locks(path).hold([NAME], Deadline(10)):
            os.write(writing, b"!")
            signal.pause()
        os._exit(0)
    os.read(reading, 1)
    with pytest.raises(exception.DeadlineExceeded, match="another process"), Locks(path).hold([NAME], Deadline(0.05)):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with Locks(path).hold([NAME], Deadline(0.05)):
        pass
    os.close(reading)
    os.close(writing)


def test_names_in_any_order_never_wait_in_a_circle(tmp_path):
    """Threads and processes that want the same two locks, named in opposite orders, all get them."""
    path = tmp_path / "locks"
    got = []

    def many(names: list[str]) -> None:
        locks = Locks(path)
        for _ in range(50):
            with locks.hold(names, Deadline(20)):
                got.append(names)

    def both_ways() -> None:
        threads = [threading.Thread(target=many, args=(names,)) for names in (["a", "b"], ["b", "a"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 100

    child = start(both_ways)
    both_ways()
    assert os.waitpid(child, 0)[1] == 0


def test_an_error_lets_go(tmp_path):
    """What is raised inside leaves the locks free, for other processes as well."""
    path = tmp_path / "locks"
    with pytest.raises(ZeroDivisionError), Locks(path).hold([NAME], Deadline(5)):
        _ = 1 / 0

    def take() -> None:
        with Locks(path).hold([NAME], Deadline(0.05)):
            pass

    assert os.waitstatus_to_exitcode(in_child(take)) == 0
