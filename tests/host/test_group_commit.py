# SPDX-License-Identifier: Apache-2.0
"""What threads ask for while one is at work is done together, and what goes wrong for one does so for it alone."""

from __future__ import annotations

import threading
import time

import pytest

from engine.places import in_child
from os_vif.host.engine.group_commit import GroupCommit

LONG = 30


class Clerk:
    """Keeps count of what was done together. Its first job lasts until ``go_on()``; what is "bad" cannot be done."""

    def __init__(self, patience=LONG):
        self.groups = GroupCommit(patience)
        self.done = []
        self.answers = {}
        self._may_go_on = threading.Event()
        self._at_work = threading.Event()
        self._threads = [self._start("first", "a kind")]
        assert self._at_work.wait(LONG)

    def ask(self, what, kind="a kind"):
        """A thread that asks for something; returns when it waits, or need not."""
        before = self.groups.waiting()
        self._threads.append(self._start(what, kind))
        until(lambda: self.groups.waiting() > before or what in self.answers)

    def go_on(self):
        """Lets the first job end, and waits for all threads."""
        self._may_go_on.set()
        for thread in self._threads:
            thread.join(LONG)

    def work(self, jobs):
        """Does jobs together, or none."""
        if jobs[0] == "first" and not self._at_work.is_set():
            self._at_work.set()
            assert self._may_go_on.wait(LONG)
        for job in jobs:
            if job.startswith("bad"):
                raise ValueError(job)
            if job == "cut off" and len(jobs) > 1:
                raise KeyboardInterrupt
        self.done.append(tuple(jobs))
        return len(jobs)

    def _start(self, what, kind):
        def act():
            try:
                self.answers[what] = self.groups.run(kind, what, self.work)
            except (ValueError, KeyboardInterrupt) as error:
                self.answers[what] = error

        thread = threading.Thread(target=act)
        thread.start()
        return thread


def until(true):
    end = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_alone_nobody_is_waited_for():
    assert GroupCommit().run("a kind", 1, lambda jobs: [*jobs, "done"]) == [1, "done"]


def test_who_comes_meanwhile_is_served_together():
    clerk = Clerk()
    for name in ("a", "b", "c"):
        clerk.ask(name)
    clerk.go_on()
    assert clerk.done == [("first",), ("a", "b", "c")]
    assert clerk.answers == {"first": 1, "a": 3, "b": 3, "c": 3}


def test_of_another_kind_nobody_waits():
    clerk = Clerk()
    clerk.ask("a")
    clerk.ask("other", kind="another kind")
    assert clerk.done == [("other",)]
    clerk.go_on()
    assert clerk.done == [("other",), ("first",), ("a",)]


@pytest.mark.parametrize("names", [("bad", "a", "b"), ("a", "bad", "b"), ("a", "b", "bad")])
def test_a_bad_one_fails_alone(names):
    """With its own error; the others are served one by one."""
    clerk = Clerk()
    for name in names:
        clerk.ask(name)
    clerk.go_on()
    assert sorted(clerk.done) == [("a",), ("b",), ("first",)]
    assert str(clerk.answers.pop("bad")) == "bad"
    assert clerk.answers == {"first": 1, "a": 1, "b": 1}
    assert is_free(clerk)


def test_who_leads_is_cut_off():
    """By Control-C, say. Those that it led are served all the same."""
    clerk = Clerk()
    for name in ("cut off", "a", "b"):
        clerk.ask(name)
    clerk.go_on()
    assert isinstance(clerk.answers.pop("cut off"), KeyboardInterrupt)
    assert clerk.answers == {"first": 1, "a": 1, "b": 1}
    assert is_free(clerk)


def test_who_takes_long_holds_nobody_up():
    """The others lose patience and go their own way, before the first has ended."""
    clerk = Clerk(patience=0.01)
    clerk.ask("a")
    clerk.ask("b")
    until(lambda: len(clerk.done) == 2)
    assert sorted(clerk.done) == [("a",), ("b",)]
    clerk.go_on()
    assert clerk.answers == {"first": 1, "a": 1, "b": 1}
    assert is_free(clerk)


def test_a_child_does_not_wait_for_its_parents_threads():
    clerk = Clerk()
    clerk.ask("a")

    def in_the_child():
        assert clerk.groups.run("a kind", "child", len) == 1

    status = in_child(in_the_child)
    clerk.go_on()
    assert status == 0


def is_free(clerk):
    """Nobody leads any more: who comes now is served at once."""
    return clerk.groups.waiting() == 0 and clerk.groups.run("a kind", "last", clerk.work) == 1
