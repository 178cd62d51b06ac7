# SPDX-License-Identifier: Apache-2.0
"""Doing the tasks of a plan: until one fails and then back again, or all of them whatever happens."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

from os_vif import exception
from os_vif.host.contract.backend import KnownBackend
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Step
from os_vif.host.engine.planner import Task

#: Called with "before" or "after" and the step. It may raise OperationFailed to make the step fail.
Observer = Callable[[str, Step], None]


class Executor:
    """Does tasks through the backends they belong to; consecutive ones of a backend go in one call.

    With an ``observer`` every step is done for itself, so that faults can be injected between any two.
    """

    def __init__(self, backends: Mapping[str, KnownBackend], observer: Observer | None = None) -> None:
        self._backends = backends
        self.observer = observer

    def do_or_undo(self, tasks: Sequence[Task]) -> None:
        """Does the tasks in order. When one fails, those before it are undone, the last one first.

        Raises StepFailed; UndoFailed when the way back is barred as well.
        """
        done: list[Task] = []
        for batch in self._batches(tasks):
            try:
                self._run(batch, [task.step.operation for task in batch])
            except OperationFailed as failure:
                # Where it is not known how far it came, undoing what was not done is harmless.
                done += batch[: failure.done] if failure.certain else batch
                error = _error(batch[failure.culprit], failure)
                self._undo_after(error, done)
                raise error from None
            except exception.NotPermitted as refusal:
                self._undo_after(refusal, done)  # none of the batch was begun
                raise
            except Exception:
                self.undo([*done, *batch])  # the privileged helper died, say
                raise
            done += batch

    def do_all(self, tasks: Sequence[Task]) -> list[exception.HostError]:
        """Does every task, whatever happens to the others, and returns the errors.

        Left out is what a failed one guards: it would take away what has not arrived elsewhere. Raises NotPermitted
        where nothing at all may be done.
        """
        errors: list[exception.HostError] = []
        guarded: set[str] = set()
        batches = list(self._batches(tasks))
        for batch in batches:
            errors += self._do_each(batch, guarded)
        refusals = [error for error in errors if isinstance(error, exception.NotPermitted)]
        if refusals and len(refusals) == len(batches):
            raise refusals[0]
        return errors

    def _do_each(self, batch: Sequence[Task], guarded: set[str]) -> Iterator[exception.HostError]:
        """In one call, or as many as it takes; one by one where a backend cannot say how far it came."""
        rest = _unguarded(batch, guarded)
        while rest:
            try:
                self._run(rest, [task.step.operation for task in rest])
                return
            except exception.NotPermitted as refusal:
                yield refusal
                return
            except OperationFailed as failure:
                if not failure.certain and len(rest) > 1:
                    yield from (error for task in rest for error in self._do_each([task], guarded))
                    return
                yield _error(rest[failure.culprit], failure)
                guarded.update(rest[failure.culprit].step.guards)
                rest = [task for n, task in enumerate(rest) if n >= failure.done and n != failure.culprit]
                rest = _unguarded(rest, guarded)

    def undo(self, tasks: Sequence[Task]) -> list[str]:
        """Undoes tasks that were done, the last one first; returns what could not be undone, in words."""
        complaints = []
        for task in reversed(tasks):
            if task.step.undo is None:
                continue
            try:
                self._backends[task.step.backend].run([task.step.undo], task.context)
            except OperationFailed as failure:
                complaints.append(f"could not undo {task.step.text!r}: {failure.words}.")
            except Exception as error:  # of a helper, or of a third party: it keeps none of the others
                complaints.append(f"could not undo {task.step.text!r}: {str(error).rstrip('.')}.")
        return complaints

    def _undo_after(self, error: exception.HostError, done: Sequence[Task]) -> None:
        complaints = self.undo(done)
        if complaints:
            raise exception.UndoFailed(error=str(error), reason=" ".join(complaints), **_where(error)) from error

    def _batches(self, tasks: Sequence[Task]) -> Iterator[list[Task]]:
        if self.observer is not None:
            yield from ([task] for task in tasks)
            return
        for _, batch in itertools.groupby(tasks, key=lambda task: (task.step.backend, task.context)):
            yield list(batch)

    def _run(self, batch: Sequence[Task], operations: Sequence[Operation]) -> None:
        first = batch[0]
        if self.observer is not None:
            self.observer("before", first.step)
        self._backends[first.step.backend].run(operations, first.context)
        if self.observer is not None:
            self.observer("after", first.step)


def _unguarded(tasks: Sequence[Task], guarded: set[str]) -> list[Task]:
    """A step with guards itself goes on: the more arrives, the better."""
    return [task for task in tasks if task.step.guards or task.step.device not in guarded]


def _error(task: Task, failure: OperationFailed) -> exception.StepFailed:
    step = task.step
    return exception.StepFailed(
        step=step.text, device=step.device, vif_id=task.vif_id, reason=failure.words, errno=failure.errno
    )


def _where(error: exception.HostError) -> dict[str, str]:
    return {name: str(error.kwargs.get(name, "")) for name in ("step", "device", "vif_id")}
