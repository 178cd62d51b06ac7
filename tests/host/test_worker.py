# SPDX-License-Identifier: Apache-2.0
"""Doing tasks through backends that do them one by one, and through backends that do all or nothing."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Step
from os_vif.host.engine.executor import Executor
from os_vif.host.engine.planner import Task


class OneByOne:
    """A backend that stops at the operation named "bad"."""

    def __init__(self):
        self.log = []

    def run(self, operations, context):
        for done, operation in enumerate(operations):
            if operation.name == "bad":
                raise OperationFailed(done, 5, "no such luck")
            self.log.append(operation.name)


class AllOrNothing(OneByOne):
    """A backend that does nothing at all when one of its operations is bad."""

    def run(self, operations, context):
        for culprit, operation in enumerate(operations):
            if operation.name == "bad":
                raise OperationFailed(0, 5, "no such luck", culprit)
        self.log += [operation.name for operation in operations]


class Dying(OneByOne):
    """A backend whose helper dies on the way: how much was done is not known."""

    def run(self, operations, context):
        self.log += [operation.name for operation in operations]
        if "bad" in self.log:
            self.log.remove("bad")
            raise RuntimeError("the helper died")


def task(name):
    """A task whose undo is logged as "-name"."""
    return Task(Step("backend", "dev0", f"do {name}", Operation(name), Operation(f"-{name}")), "vif-1", "context")


@pytest.mark.parametrize("backend", [OneByOne(), AllOrNothing()], ids=lambda backend: type(backend).__name__)
def test_the_error_names_the_culprit(backend):
    """Step, device, VIF and the words of whoever refused, whichever way the backend works."""
    with pytest.raises(exception.StepFailed) as failed:
        Executor({"backend": backend}).do_or_undo([task("a"), task("b"), task("bad"), task("c")])
    assert str(failed.value) == "Could not do bad (device dev0, VIF vif-1): no such luck"


def test_what_was_done_is_undone_in_reverse():
    """And what was not done is not undone."""
    backend = OneByOne()
    with pytest.raises(exception.StepFailed):
        Executor({"backend": backend}).do_or_undo([task("a"), task("b"), task("bad"), task("c")])
    assert backend.log == ["a", "b", "-b", "-a"]


def test_where_nothing_was_done_nothing_is_undone():
    """A transaction that failed has left nothing behind."""
    backend = AllOrNothing()
    with pytest.raises(exception.StepFailed):
        Executor({"backend": backend}).do_or_undo([task("a"), task("bad")])
    assert backend.log == []


@pytest.mark.parametrize("backend", [OneByOne(), AllOrNothing()], ids=lambda backend: type(backend).__name__)
def test_all_is_tried_whatever_fails(backend):
    """On the way out every task is done but the bad ones, each of which is reported."""
    errors = Executor({"backend": backend}).do_all([task("a"), task("bad"), task("b"), task("bad"), task("c")])
    assert backend.log == ["a", "b", "c"]
    assert [error.kwargs["step"] for error in errors] == ["do bad", "do bad"]


def test_when_nobody_knows_how_far_it_came_all_is_undone():
    """An unforeseen error undoes what was certainly done and what may have been, and is passed on."""
    backend = Dying()
    with pytest.raises(RuntimeError, match="the helper died"):
        Executor({"backend": backend}).do_or_undo([task("a"), task("bad")])
    assert backend.log == ["a", "-bad", "-a"]
