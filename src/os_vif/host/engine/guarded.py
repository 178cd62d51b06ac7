# SPDX-License-Identifier: Apache-2.0
"""A third party's backend, as the engine uses it: whatever it does, an error of ours says whose it is."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from os_vif import exception
from os_vif.host.access.host import HostAccess
from os_vif.host.contract.backend import Marked, Purpose
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Holding, Outcome, Step
from os_vif.host.journal import prior
from os_vif.host.state import Resource, third_party

T = TypeVar("T")

_NEEDED = ("read", "converge", "remove", "run")


class Guarded:
    """See os_vif.host.contract.backend for the methods. Those that a backend need not have are passed on."""

    def __init__(self, backend: Any, name: str) -> None:
        self.name = name
        self.atomic = bool(getattr(backend, "atomic", False))
        self._backend = backend

    @classmethod
    def made(cls, name: str, host: HostAccess, home: str) -> Guarded:
        """The backend of that name, by its entry point. Raises BackendUnavailable."""
        make = third_party.load(name)
        try:
            backend = make(host, home)
        except Exception as error:
            reason = f"{third_party.origin(name)} cannot be made: {error!r}."
            raise exception.BackendUnavailable(backend=name, reason=reason) from error
        missing = [method for method in _NEEDED if not callable(getattr(backend, method, None))]
        if missing:
            reason = f"{third_party.origin(name)} has no {', '.join(f'{method}()' for method in missing)}."
            raise exception.BackendUnavailable(backend=name, reason=reason)
        return cls(backend, name)

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> Any:
        return self._call("read", resources, purpose)

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        outcome = self._checked("converge", Outcome, self._call("converge", resource, actual, purpose))
        holding = self._checked("converge", Holding, outcome.holding)
        if holding.resource != resource:
            raise self._failed("converge", f"it holds {holding.resource!r:.80} for {resource!r:.80}.")
        try:
            prior.check(json.loads(json.dumps(holding.prior)))
        except (TypeError, ValueError) as error:
            raise self._failed("converge", f"the journal cannot keep what was there before: {error}.") from error
        for step in (*outcome.steps, *outcome.late):
            self._check_step("converge", step)
        return outcome

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        steps = self._list_of("remove", Step, self._call("remove", holding, actual, purpose))
        for step in steps:
            self._check_step("remove", step)
        return steps

    def in_use(self, holding: Holding, actual: Any, leaving: Sequence[Holding]) -> str:
        if not hasattr(self._backend, "in_use"):
            return ""
        return self._checked("in_use", str, self._call("in_use", holding, actual, leaving))

    def marked(self) -> Sequence[Marked]:
        if not hasattr(self._backend, "marked"):
            return ()
        return self._list_of("marked", Marked, self._call("marked"))

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """How far it came is not known where it says nothing of it: undoing what was not done has to be harmless."""
        try:
            self._backend.run(operations, context)
        except (OperationFailed, exception.NotPermitted):
            raise
        except Exception as error:
            words = f"the backend {self.name} ({third_party.origin(self.name)}) failed in run(): {error!r}"
            raise OperationFailed(0, 0, words, certain=False) from error

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found = getattr(self._backend, name)
        return functools.partial(self._call_eagerly, name) if callable(found) else found

    def _call_eagerly(self, method: str, *arguments: Any) -> Any:
        found = self._call(method, *arguments)
        is_lazy = isinstance(found, Iterable) and not isinstance(found, Sequence | str)
        return self._listed(method, found) if is_lazy else found

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self._backend, method)(*arguments)
        except exception.ExceptionBase:
            raise
        except Exception as error:
            raise self._failed(method, f"{error!r}.") from error

    def _checked(self, method: str, kind: type[T], found: Any) -> T:
        if not isinstance(found, kind):
            raise self._failed(method, f"it returned {found!r:.80}, which is no {kind.__name__}.")
        return found

    def _check_step(self, method: str, step: Any) -> None:
        self._checked(method, Step, step)
        try:
            json.dumps(step.to_primitive())
        except (TypeError, ValueError, AttributeError) as error:
            raise self._failed(method, f"its step {step.text!r:.80} is not plain data: {error}.") from error

    def _list_of(self, method: str, kind: type[T], found: Any) -> list[T]:
        return [self._checked(method, kind, one) for one in self._listed(method, found)]

    def _listed(self, method: str, found: Any) -> list[Any]:
        try:
            return list(found)
        except exception.ExceptionBase:
            raise
        except Exception as error:
            raise self._failed(method, f"{error!r}.") from error

    def _failed(self, method: str, reason: str) -> exception.BackendFailed:
        return exception.BackendFailed(
            backend=self.name, origin=third_party.origin(self.name), method=method, reason=reason
        )
