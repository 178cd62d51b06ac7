# SPDX-License-Identifier: Apache-2.0
"""The tests that every backend of a third party should pass, for pytest. Run them on yours:

    from os_vif.testing.conformance.backends import BackendConformance

    class TestMyBackend(BackendConformance):
        def make_resource(self, number):
            return MyResource(name=f"mine{number}")

They ask the backend by itself, as the engine does. PluginConformance asks the plugin that states its resources: whether
threads and processes get along, and what is left when one is killed. See Kit for what else can be overridden.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from os_vif import exception
from os_vif.host import state
from os_vif.host.access import privileged
from os_vif.host.contract.backend import Purpose
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Holding
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.planner import Leaving, Task
from os_vif.host.engine.request import Request
from os_vif.host.state import HostState, Resource
from os_vif.plugging import current
from os_vif.testing.conformance.kit import Kit

_VIF = "6d3ef0a5-6b9c-4c2d-9d1f-9f7c1f0c9c11"
_UNKNOWN = Operation("conformance.unknown", {"name": "nothing"})


class BackendConformance(Kit):
    """All of it. Subclass it with a name that pytest collects, and say what a resource of yours looks like."""

    __test__ = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__test__" not in vars(cls):
            cls.__test__ = True

    # --- what to fill in ------------------------------------------------------------------------------------

    def make_resource(self, number: int) -> Resource:
        """A resource. The same number gives an equal one, another number one with another key."""
        raise NotImplementedError

    def make_changed(self) -> Resource:
        """make_resource(1), stated in another way that can be changed in place."""
        pytest.skip("make_changed() is not there: nothing of the resource can be changed in place")

    def make_foreign(self) -> None:
        """Makes on the host, as somebody else would, what is in the way of make_resource(1)."""
        pytest.skip("make_foreign() is not there: nothing of somebody else can be in the way")

    # --- the tests ------------------------------------------------------------------------------------------

    def test_a_resource_survives_the_journal(self) -> None:
        """It is equal after it was JSON, and its key, lock and label are texts; another has another key."""
        one, other = self.make_resource(1), self.make_resource(2)
        assert one == self.make_resource(1)
        assert one.key != other.key
        assert one.label
        assert state.from_primitive(json.loads(json.dumps(state.to_primitive(one)))) == one
        assert all(isinstance(text, str) for text in (one.key, one.lock, one.label))

    def test_looking_changes_nothing(self) -> None:
        """Reading and planning, to make or to remove, whether it is there or not."""
        for there in (False, True):
            if there:
                self._make()
            before = self.snapshot()
            self._steps()
            self._steps_to_remove()
            self.expect(before, "after a look")

    def test_what_is_done_is_done(self) -> None:
        """Then there is nothing to be done, and another resource makes no difference to that."""
        self._make(1)
        assert self._steps(1) == []
        self._make(2)
        assert self._steps(1) == []

    def test_what_is_removed_is_gone(self) -> None:
        """The host is as it was, and there is nothing left to remove."""
        before = self.snapshot()
        self._make()
        assert self._steps_to_remove(), "there is nothing to remove"
        self._remove()
        self.expect(before, "made and removed")
        assert self._steps_to_remove() == []

    def test_what_was_never_made_is_not_removed(self) -> None:
        """There are no steps for that."""
        assert self._steps_to_remove() == []

    def test_every_step_is_told(self) -> None:
        """In words, with the device or the like that it is about, and as plain data."""
        for task in (*self._steps(), *self._made_and_to_remove()):
            step = task.step
            assert step.text
            assert step.device
            assert json.loads(json.dumps(step.to_primitive())) == step.to_primitive()

    def test_every_step_can_be_undone(self) -> None:
        """However far it came: what was done is undone, the last first, and the host is as it was."""
        before = self.snapshot()
        for count in range(1, len(self._steps()) + 1):
            tasks = self._steps()[:count]
            self._engine.executor.do_or_undo(tasks)
            assert self._engine.executor.undo(tasks) == []
            self.expect(before, f"{count} steps were done and undone")

    def test_undoing_what_was_not_done_does_no_harm(self) -> None:
        """Nobody knows how far a process came that has died."""
        before = self.snapshot()
        assert self._engine.executor.undo(self._steps()) == []
        self.expect(before, "undone without having been done")

    def test_cut_off_and_done_again(self) -> None:
        """Whatever the first steps have left is completed."""
        before = self.snapshot()
        self._make()
        made = self.snapshot()
        self._remove()
        for count in self._lengths():
            self._engine.executor.do_or_undo(self._steps()[:count])
            self._make()
            self.expect(made, f"cut off after {count} steps and done again")
            self._remove()
            self.expect(before, f"cut off after {count} steps, done again and removed")

    def test_cut_off_and_removed(self) -> None:
        """Whatever the first steps have left is taken away, and was known as os-vif's."""
        before = self.snapshot()
        for count in self._lengths():
            self._engine.executor.do_or_undo(self._steps()[:count])
            if self._can("marked"):
                assert self._resource().key in self._marked(), f"it bears no mark after {count} steps"
            self._remove()
            self.expect(before, f"cut off after {count} steps and removed")

    def test_removed_in_spite_of_being_gone(self) -> None:
        """Steps that somebody else has done in the meantime do not fail."""
        before = self.snapshot()
        tasks = self._made_and_to_remove()
        assert self._engine.executor.do_all(tasks) == []
        assert self._engine.executor.do_all(tasks) == []
        self.expect(before, "removed twice")

    def test_what_is_stated_anew_is_changed(self) -> None:
        """In place, and back if a later step fails."""
        changed = self.make_changed()
        self._make()
        before = self.snapshot()
        tasks = self._steps_for(changed)
        assert tasks, "there is nothing to change"
        self._engine.executor.do_or_undo(tasks)
        assert self._steps_for(changed) == []
        assert self._engine.executor.undo(tasks) == []
        self.expect(before, "changed and changed back")

    def test_what_somebody_else_made_is_left_alone(self) -> None:
        """It is an error to plug what it is in the way of, and there is nothing of it to remove."""
        self.make_foreign()
        before = self.snapshot()
        with pytest.raises(exception.ForeignDevice):
            self._steps()
        assert self._steps_to_remove() == []
        assert self._resource().key not in self._marked()
        self.expect(before, "after a look")

    def test_what_is_there_is_told(self) -> None:
        """For garbage collection by its mark, for repairs by is_there(): as long as it is there."""
        for there in (True, False):
            self._make() if there else self._remove()
            if self._can("marked"):
                assert (self._resource().key in self._marked()) is there
            if self._can("is_there"):
                assert self._is_there() is there

    def test_operations_that_it_does_not_know_are_refused(self) -> None:
        """With the number of those that were done before, for these are undone."""
        own = [task.step.operation for task in self._steps() if task.step.backend == self._resource().backend][:1]
        with pytest.raises(OperationFailed) as caught:
            self._backend.run([*own, _UNKNOWN], privileged.DEFAULT_CONTEXT)
        assert caught.value.certain, f"it raised something else: {caught.value.words}"
        assert caught.value.done == len(own)
        assert caught.value.words, "a failure without a word"

    # --- for the tests --------------------------------------------------------------------------------------

    @property
    def _engine(self) -> Engine:
        return current.engine()

    @property
    def _backend(self) -> Any:
        return self._engine.backends[self._resource().backend]

    def _resource(self) -> Resource:
        return self.make_resource(1)

    def _can(self, method: str) -> bool:
        """The engine has answers of its own for methods that a backend may leave out."""
        return hasattr(getattr(self._backend, "_backend", self._backend), method)

    def _steps(self, number: int = 1) -> list[Task]:
        """What makes the host as stated."""
        return self._steps_for(self.make_resource(number))

    def _steps_for(self, resource: Resource) -> list[Task]:
        request = Request(_VIF, "conformance", HostState((resource,)), privileged.DEFAULT_CONTEXT)
        return list(self._engine.planner.plug([request], {}).tasks)

    def _steps_to_remove(self, number: int = 1) -> list[Task]:
        holding = Holding(self.make_resource(number), made=True)
        return list(self._engine.planner.unplug([Leaving(self._purpose(), (holding,))]).tasks)

    def _lengths(self) -> Iterator[int]:
        """Of beginnings of what makes it."""
        return iter(range(1, len(self._steps()) + 1))

    def _make(self, number: int = 1) -> None:
        self._engine.executor.do_or_undo(self._steps(number))

    def _remove(self, number: int = 1) -> None:
        errors = self._engine.executor.do_all(self._steps_to_remove(number))
        assert not errors, errors

    def _made_and_to_remove(self) -> Sequence[Task]:
        self._make()
        return self._steps_to_remove()

    def _marked(self) -> set[str]:
        return {one.resource.key for one in self._backend.marked()}

    def _is_there(self) -> bool:
        holding = Holding(self._resource(), made=True)
        actual = self._backend.read([holding.resource], self._purpose())
        return bool(self._backend.is_there(holding, actual, self._purpose()))

    def _purpose(self) -> Purpose:
        return Purpose(_VIF, privileged.DEFAULT_CONTEXT)
