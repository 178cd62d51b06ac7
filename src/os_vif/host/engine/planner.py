# SPDX-License-Identifier: Apache-2.0
"""From requests and what the host is like now to the work that is to be done. Reads, changes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from os_vif import exception
from os_vif.host.contract.backend import KnownBackend, OfTheHost, Purpose
from os_vif.host.contract.plan import Confirmation, Holding, Outcome, Plan, Step
from os_vif.host.engine.request import Request
from os_vif.host.state import Resource, Unavailable, check_known

#: Resources by their keys, each with the first request that states it.
Stated = dict[str, tuple[Request, Resource]]


@dataclass(frozen=True)
class Task:
    """A step, the VIF it is done for, and the privileged helper that does it."""

    step: Step
    vif_id: str
    context: str


@dataclass(frozen=True)
class Work:
    """The tasks of one or several VIFs, in order, and what is then held for each of them."""

    tasks: tuple[Task, ...] = ()
    holdings: Mapping[str, tuple[Holding, ...]] = field(default_factory=dict)
    #: Keys of resources that are gone afterwards.
    released: tuple[str, ...] = ()
    #: (VIF id, key) of what a VIF does not use any more; somebody else may.
    dropped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    #: Notes that somebody has to see: the host's own network is concerned.
    warnings: tuple[str, ...] = ()
    #: What must work afterwards as it did before.
    confirmations: tuple[Confirmation, ...] = ()

    def as_plan(self, action: str, vif_ids: Sequence[str]) -> Plan:
        """What of it is for some VIFs, for people."""
        steps = tuple(task.step for task in self.tasks if task.vif_id in vif_ids)
        holdings = tuple(holding for vif_id in vif_ids for holding in self.holdings.get(vif_id, ()))
        return Plan(", ".join(vif_ids), action, steps, holdings, self.notes)


@dataclass(frozen=True)
class Leaving:
    """A VIF that goes: what is held for it, and which of that is needed by other VIFs.

    ``orphan``: no record tells of it, and which journals its mark names has been looked at.
    """

    purpose: Purpose
    holdings: tuple[Holding, ...]
    needed_by_others: frozenset[str] = frozenset()
    orphan: bool = False


class Planner:
    """Plans over the backends of one host."""

    def __init__(self, backends: Mapping[str, KnownBackend]) -> None:
        self._backends = backends

    def plug(self, requests: Sequence[Request], held: Mapping[str, Sequence[Holding]]) -> Work:
        """What makes the host as the requests state. A resource that several state is converged once.

        Raises the HostErrors of the backends, before anything is touched.
        """
        tasks, outcomes = self._converge(_by_key(requests), requests, held)
        holdings = {r.vif_id: tuple(outcomes[resource.key].holding for resource in r.desired) for r in requests}
        confirmations = tuple(one for outcome in outcomes.values() for one in outcome.confirmations)
        return Work(tasks, holdings, confirmations=confirmations)

    def rest(
        self, requests: Sequence[Request], held: Mapping[str, Sequence[Holding]]
    ) -> tuple[tuple[Task, ...], Sequence[Holding]]:
        """What is still to be done when all has been done, because it did not stick; and what is held now.

        What a backend does in one transaction is not read again. It is done, and the backend has awaited its outcome.
        """
        stated = _by_key(requests).items()
        doubtful = {key: one for key, one in stated if not _is_atomic(self._backends[one[1].backend])}
        tasks, outcomes = self._converge(doubtful, requests, held)
        return tasks, [outcome.holding for outcome in outcomes.values()]

    def _converge(
        self, stated: Stated, requests: Sequence[Request], held: Mapping[str, Sequence[Holding]]
    ) -> tuple[tuple[Task, ...], dict[str, Outcome]]:
        actual = self._read([resource for _, resource in stated.values()], requests)
        early: list[Task] = []
        late: list[Task] = []
        outcomes: dict[str, Outcome] = {}
        for key, (request, resource) in stated.items():
            purpose = _purpose(request, held)
            outcome = self._backends[resource.backend].converge(resource, actual[resource.backend], purpose)
            outcomes[key] = outcome
            early += _tasks(outcome.steps, purpose)
            late += _tasks(outcome.late, purpose)
        early.sort(key=lambda task: _is_atomic(self._backends[task.step.backend]))
        return tuple(early + late), outcomes

    def unplug(self, leaving: Sequence[Leaving], *, keep_shared: bool = False) -> Work:
        """What takes away all that is held for VIFs and needed by nobody else, last made first."""
        tasks: list[Task] = []
        released: list[str] = []
        notes: list[str] = []
        warnings: list[str] = []
        gone: list[Holding] = []
        actual = self._read_leaving(leaving)
        for one in leaving:
            left = self._left_behind(one)
            notes += [f"{label} stays: {error}" for label, error in left]
            warnings += [
                f"{label}: {str(error).rstrip('.')}; once it can, `vif gc` takes it away" for label, error in left
            ]
            going, kept, reason = self._sort_out(one, gone, actual, keep_shared=keep_shared)
            elsewhere, steps = ("", []) if keep_shared or one.orphan else self._leave(kept, actual)
            if elsewhere:
                tasks += _tasks(steps, one.purpose)
                released += [holding.resource.key for holding in kept]
            gone += going
            for holding in reversed(going):
                backend = self._backends[holding.resource.backend]
                tasks += _tasks(backend.remove(holding, actual[backend.name], one.purpose), one.purpose)
                released.append(holding.resource.key)
            notes += [f"{holding.resource.label} stays: {reason}" for holding in kept if reason]
            if isinstance(reason, OfTheHost):
                warnings.append(reason)
        tasks.sort(key=lambda task: (not _is_atomic(self._backends[task.step.backend]), not task.step.early))
        return Work(tuple(tasks), released=tuple(released), notes=tuple(notes), warnings=tuple(warnings))

    def _sort_out(
        self, one: Leaving, gone: Sequence[Holding], actual: Mapping[str, object], *, keep_shared: bool
    ) -> tuple[list[Holding], list[Holding], str]:
        """Shared resources that nobody needs go together or, while one of them is in use, not at all.

        ``gone`` is what goes before, with other VIFs.
        """
        going = [h for h in _going(one) if self._why_unusable(h) is None]
        kept = [h for h in going if h.resource.shared]
        if keep_shared and kept:
            reason = "without a journal, nobody knows who else needs it"
        else:
            elsewhere = "" if one.orphan else self._leave(kept, actual)[0]
            reason = elsewhere or self._in_use(kept, actual, [*gone, *going])
        return ([h for h in going if not h.resource.shared], kept, reason) if reason else (going, [], "")

    def _left_behind(self, one: Leaving) -> list[tuple[str, exception.BackendUnavailable]]:
        """What nobody here can take away, and why: the rest goes without it."""
        return [(h.resource.label, error) for h in _going(one) if (error := self._why_unusable(h))]

    def _why_unusable(self, holding: Holding) -> exception.BackendUnavailable | None:
        if isinstance(holding.resource, Unavailable):
            return holding.resource.error
        try:
            self._backends[holding.resource.backend]
        except exception.BackendUnavailable as error:
            return error
        return None

    def _leave(self, shared: Sequence[Holding], actual: Mapping[str, object]) -> tuple[str, list[Step]]:
        """Why VIFs of another journal need what is shared, and what it takes to leave it to that journal."""
        reasons: list[str] = []
        steps: list[Step] = []
        for holding in shared:
            leave = getattr(self._backends[holding.resource.backend], "leave", None)
            reason, more = leave(holding, actual[holding.resource.backend]) if leave else ("", ())
            reasons += [reason] if reason else []
            steps += more
        return (reasons[0] if reasons else ""), steps

    def _in_use(self, shared: Sequence[Holding], actual: Mapping[str, object], leaving: Sequence[Holding]) -> str:
        reasons = (self._backends[h.resource.backend].in_use(h, actual[h.resource.backend], leaving) for h in shared)
        return next((reason for reason in reasons if reason), "")

    def _read_leaving(self, leaving: Sequence[Leaving]) -> dict[str, object]:
        """What nobody else needs of it. One reading for all, as for what is stated."""
        going = {
            holding.resource.key: holding.resource
            for one in leaving
            for holding in one.holdings
            if holding.resource.key not in one.needed_by_others and self._why_unusable(holding) is None
        }
        return self._read_for(list(going.values()), leaving[0].purpose) if leaving else {}

    def _read(self, resources: Sequence[Resource], requests: Sequence[Request]) -> dict[str, object]:
        # One reading for all: what is read does not depend on whom it is for, only the helper's name does.
        purpose = Purpose(requests[0].vif_id, requests[0].context) if requests else Purpose("", "")
        return self._read_for(resources, purpose)

    def _read_for(self, resources: Sequence[Resource], purpose: Purpose) -> dict[str, object]:
        by_backend: dict[str, list[Resource]] = {}
        for resource in resources:
            by_backend.setdefault(resource.backend, []).append(resource)
        return {name: self._backends[name].read(wanted, purpose) for name, wanted in by_backend.items()}


def _going(one: Leaving) -> list[Holding]:
    """What no other VIF needs."""
    return [h for h in one.holdings if not h.resource.shared or h.resource.key not in one.needed_by_others]


def _is_atomic(backend: KnownBackend) -> bool:
    """Steps of such a backend are gathered, after those of devices and before them on the way back.

    So that those of many VIFs are one transaction; the steps of each VIF keep their order.
    """
    return getattr(backend, "atomic", False)


def _purpose(request: Request, held: Mapping[str, Sequence[Holding]]) -> Purpose:
    known = {holding.resource.key: holding for holding in held.get(request.vif_id, ())}
    return Purpose(request.vif_id, request.context, known)


def _tasks(steps: Iterable[Step], purpose: Purpose) -> list[Task]:
    return [Task(step, purpose.vif_id, purpose.context) for step in steps]


def _by_key(requests: Sequence[Request]) -> Stated:
    """Each resource once, on behalf of the first VIF that states it."""
    stated: Stated = {}
    for request in requests:
        for resource in request.desired:
            check_known(resource)
            known = stated.setdefault(resource.key, (request, resource))
            if known[1] != resource:
                stated[resource.key] = (known[0], _reconciled(known[0], known[1], request, resource))
    return stated


def _reconciled(first: Request, one: Resource, second: Request, other: Resource) -> Resource:
    if not (one.shared and other.shared):
        raise exception.InvalidRequest(
            field=other.label,
            reason=f"both VIF {first.vif_id} and VIF {second.vif_id} want it, each for itself.",
            vif_id=second.vif_id,
        )
    return dataclasses.replace(other)
