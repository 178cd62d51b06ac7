# SPDX-License-Identifier: Apache-2.0
"""The engine: read what is there, find what is missing, write down the intent, do it, read back, write down the end.

On failure everything is undone in reverse, so that the host is as it was. A process that is killed leaves its intent
in the journal: the next plug goes on from what it finds, unplug and garbage collection take away what is left.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.access.host import HostAccess
from os_vif.host.contract.backend import KnownBackend
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Confirmation, Holding, Plan
from os_vif.host.engine import found, renamed, settling
from os_vif.host.engine.executor import Executor, Observer
from os_vif.host.engine.group_commit import GroupCommit
from os_vif.host.engine.planner import Leaving, Planner, Task, Work
from os_vif.host.engine.records import is_current, new_record, unplugging_in_any_case, with_status
from os_vif.host.engine.registry import Backends
from os_vif.host.engine.release import Departures
from os_vif.host.engine.request import Request
from os_vif.host.journal import identity
from os_vif.host.journal.journal import PLUGGED, PLUGGING, UNPLUGGING, Journal, Record, Scope
from os_vif.host.journal.locks import Locks
from os_vif.host.journal.tables import MEMORY
from os_vif.host.process import signals
from os_vif.host.process.deadline import Deadline, of_call
from os_vif.host.state import Link

LOG = logger(__name__)

#: Seconds that one call may take, waiting for locks included.
DEFAULT_SECONDS = 60.0

_UNREAD = "%s: unplugged by the marks on what was made, because the record cannot be read. Shared devices stay. %s %s"

#: What is held for each VIF, by its id.
Held = dict[str, list[Holding]]


@dataclass(frozen=True)
class _Turn:
    """What one thread asks for, its locks taken. ``held`` is what the VIFs hold."""

    scope: Scope
    requests: Sequence[Request]
    held: Held
    deadline: Deadline


@dataclass(frozen=True)
class _Before:
    """What is known when the locks are there and nothing has been done yet.

    ``agreed`` are the requests by VIF, as settled with others' (settling.py). ``known`` are the records of the VIFs,
    ``held`` what they hold, ``around`` that and what others hold of the shared resources that they state.
    """

    scope: Scope
    requests: Sequence[Request]
    agreed: Mapping[str, Request]
    known: Mapping[str, Record | None]
    held: Held
    around: Held


class Engine:
    """Plugs and unplugs on one host. Threads may share an engine; processes share the journal and the locks.

    ``volatile`` says that the journal ends with the process: shared resources are then never removed.
    """

    def __init__(
        self,
        host: HostAccess,
        journal: Journal,
        locks: Locks,
        *,
        extra_backends: Sequence[KnownBackend] = (),
        volatile: bool = False,
        observer: Observer | None = None,
        seconds: float = DEFAULT_SECONDS,
    ) -> None:
        self.backends = Backends(
            host, {backend.name: backend for backend in extra_backends}, identity.of_journal(journal.identity)
        )
        self.host = host
        self.journal = journal
        self.planner = Planner(self.backends)
        self.executor = Executor(self.backends, observer)
        self.volatile = volatile
        self._departures = Departures(journal)
        self._presumed = Departures(Journal(MEMORY))
        self.plugs: GroupCommit[_Turn, Work] = GroupCommit()
        self.unplugs: GroupCommit[_Turn, Work] = GroupCommit()
        self._locks = locks
        self._seconds = seconds

    def scope(self) -> Scope:
        """Where the calling thread's records hold."""
        return Scope(self.host.boot_id(), self.host.namespace())

    def plug(self, requests: Sequence[Request]) -> Plan:
        """Makes the host as the requests state: all of them, or none. Returns what was done.

        Raises a HostError; the host is then as it was before.
        """
        requests = [request.resolved(self.host) for request in requests]
        try:
            return self._plug(requests)
        except exception.StepFailed as error:
            if error.kwargs.get("errno") != errno.EEXIST:
                raise
            # Somebody made it after we had looked. A second look tells whether it will do, or is in the way.
            return self._plug(requests)

    def _plug(self, requests: Sequence[Request]) -> Plan:
        scope = self.scope()
        with self.holding(scope, requests) as (deadline, held):
            turn = _Turn(scope, requests, held, deadline)
            work = self.plugs.run(_kind(scope, requests), turn, self._plug_together)
        return work.as_plan("plug", [request.vif_id for request in requests])

    def _plug_together(self, turns: Sequence[_Turn]) -> Work:
        scope, requests, held = _joined_turns(turns)
        known = {request.vif_id: self.journal.record(scope, request.vif_id) for request in requests}
        around = self._with_shared(scope, requests, held)
        names = renamed.tasks(self.backends, requests, around)
        self.executor.do_or_undo(names)
        agreed = settling.settled(self.journal, scope, requests, around)
        first, work = self._planned(agreed, around)
        obsolete = self._obsolete(scope, requests, held)
        changing = _to_change(requests, known, held, work, obsolete)
        before = _Before(scope, changing, {request.vif_id: request for request in agreed}, known, held, around)
        if work.tasks or obsolete.dropped:
            for turn in turns:
                turn.deadline.check("its turn to change the host")
            self._carry_out(before, work, obsolete)
        elif before.requests:
            self._write_records(PLUGGED, before, work)
        return _joined(dataclasses.replace(work, tasks=(*names, *first, *work.tasks)), obsolete)

    def _planned(self, agreed: Sequence[Request], around: Held) -> tuple[Sequence[Task], Work]:
        """What unsettles the host, which is done, and what is to be done then."""
        work = self.planner.plug(agreed, around)
        first = [task for task in work.tasks if task.step.unsettles]
        if not first:
            return (), work
        self.executor.do_or_undo(first)
        return first, self.planner.plug(agreed, around)

    def plan(self, requests: Sequence[Request]) -> Plan:
        """What plug() would do now. Changes nothing. Raises what plug() would raise before it touches the host.

        Where devices were renamed, what is to be done after that shows only then.
        """
        scope = self.scope()
        requests = [request.resolved(self.host) for request in requests]
        held = self._held(scope, requests)
        around = self._with_shared(scope, requests, held)
        if names := renamed.tasks(self.backends, requests, around):
            return Work(names).as_plan("plug", [request.vif_id for request in requests])
        work = self.planner.plug(settling.settled(self.journal, scope, requests, around), around)
        obsolete = self._obsolete(scope, requests, held)
        return _joined(work, obsolete).as_plan("plug", [request.vif_id for request in requests])

    def unplug(self, requests: Sequence[Request]) -> Plan:
        """Takes away what is held for VIFs. Every step is tried. Returns what was done.

        The record decides what that is; only without one the request's own state does. That the journal cannot be read
        or written is told in a warning, and keeps nobody. Raises UnplugIncomplete.
        """
        scope = self.scope()
        requests = [request.still_there(self.host) for request in requests]
        with self.holding(scope, requests, in_any_case=True) as (deadline, held):
            turn = _Turn(scope, requests, held, deadline)
            work = self.unplugs.run(_kind(scope, requests), turn, self._unplug_together)
        return work.as_plan("unplug", [request.vif_id for request in requests])

    def _unplug_together(self, turns: Sequence[_Turn]) -> Work:
        scope, requests, held = _joined_turns(turns)
        try:
            leaving = self._departures.of(scope, requests, held)
            known = [record for request in requests if (record := self.journal.record(scope, request.vif_id))]
            keep_shared = self.volatile
        except exception.JournalError as error:
            LOG.warning(_UNREAD, _names(requests), error, error.hint)
            leaving, known = self._presumed.of(scope, requests, held), []
            keep_shared = True
        renamed.name_back(self.backends, self.executor, leaving)
        work = self.planner.unplug(leaving, keep_shared=keep_shared)
        with signals.deferred():
            self._take_away(scope, known, leaving, work)
        for warning in work.warnings:
            LOG.warning("Left behind: %s.", warning)
        return work

    def plan_unplug(self, requests: Sequence[Request]) -> Plan:
        """What unplug() would do now. Changes nothing."""
        scope = self.scope()
        requests = [request.still_there(self.host) for request in requests]
        leaving = self._departures.of(scope, requests, self._held(scope, requests))
        work = self.planner.unplug(leaving, keep_shared=self.volatile)
        return work.as_plan("unplug", [request.vif_id for request in requests])

    def adopt(self, request: Request) -> bool:
        """Records a VIF that is plugged, as far as it is, and that no record tells of. The host is not touched.

        Returns whether it was recorded: not where there is a record that tells as much. Raises what plan() raises.
        """
        scope = self.scope()
        request = request.resolved(self.host)
        with self.holding(scope, [request]) as (_, held):
            known = self.journal.record(scope, request.vif_id)
            if known is not None and found.is_complete(known):
                return False
            work = self.planner.plug([request], self._with_shared(scope, [request], held))
            record = new_record(scope, request, PLUGGED, None, ())
            self.journal.write([(record, _merged(held[request.vif_id], work.holdings[request.vif_id]))])
        return True

    @contextlib.contextmanager
    def holding(
        self, scope: Scope, requests: Sequence[Request], *, in_any_case: bool = False
    ) -> Iterator[tuple[Deadline, Held]]:
        """Holds the locks of the VIFs, and of every resource that is stated or held for them; tells what is held.

        What is held is known for certain only when its locks are there; if it is more, all are taken again.
        ``in_any_case``: also where the lock file or the journal cannot be used.
        """
        names = {f"vif/{request.vif_id}" for request in requests}
        names |= {resource.lock for request in requests for resource in request.desired if resource.lock}
        with of_call(self._seconds) as deadline:
            while True:
                locks = [f"{scope.namespace}/{name}" for name in names]
                with self._locks.hold(locks, deadline, in_any_case=in_any_case):
                    held = self._held(scope, requests, in_any_case=in_any_case)
                    needed = {h.resource.lock for holdings in held.values() for h in holdings if h.resource.lock}
                    if needed <= names:
                        yield deadline, held
                        return
                names |= needed

    @contextlib.contextmanager
    def holding_keys(self, scope: Scope, keys: Sequence[str]) -> Iterator[Deadline]:
        """Holds the locks of resources by their keys."""
        with of_call(self._seconds) as end, self._locks.hold([f"{scope.namespace}/{key}" for key in keys], end):
            yield end

    def _held(self, scope: Scope, requests: Sequence[Request], *, in_any_case: bool = False) -> Held:
        try:
            return {request.vif_id: self.journal.holdings(scope, request.vif_id) for request in requests}
        except exception.JournalError:
            if not in_any_case:
                raise
            return {request.vif_id: [] for request in requests}

    def _with_shared(self, scope: Scope, requests: Sequence[Request], held: Held) -> Held:
        """With what is held of shared resources for other VIFs: what was there before must not be forgotten."""
        filled_in = {}
        held_by_others = functools.cache(functools.partial(self.journal.holding, scope))
        for request in requests:
            mine = held.get(request.vif_id, [])
            known = {holding.resource.key for holding in mine}
            missing = [r.key for r in request.desired if r.shared and r.key not in known]
            found = map(held_by_others, missing)
            filled_in[request.vif_id] = [*mine, *(holding for holding in found if holding)]
        return filled_in

    def _obsolete(self, scope: Scope, requests: Sequence[Request], held: Held) -> Work:
        """What takes away what is held for VIFs and not stated for them any more."""
        leaving = self._departures.obsolete(scope, requests, held)
        if not leaving:
            return Work()
        dropped = tuple((one.purpose.vif_id, h.resource.key) for one in leaving for h in one.holdings)
        return dataclasses.replace(self.planner.unplug(leaving, keep_shared=self.volatile), dropped=dropped)

    def _carry_out(self, before: _Before, work: Work, obsolete: Work) -> None:
        with signals.deferred():
            self._write_records(PLUGGING, before, work)
            try:
                with self._answering(before, work) as answering:
                    self.executor.do_or_undo(work.tasks)
                    verified = self._verify(before, work)
                    self._confirm(work, answering)
                    self._finish(before, work, obsolete, verified)
            except exception.HostError as error:
                if not isinstance(error, exception.UndoFailed):
                    self._put_records_back(before)
                raise

    def _write_records(self, status: str, before: _Before, work: Work) -> None:
        rows = []
        for request in before.requests:
            record = new_record(before.scope, request, status, before.known[request.vif_id], work.tasks)
            rows.append((record, _merged(before.held[request.vif_id], work.holdings[request.vif_id])))
        self.journal.write(rows)

    def _verify(self, before: _Before, work: Work) -> Sequence[Holding]:
        """Reads back, and returns what is held now; what did not stick is an error, and everything is undone."""
        try:
            rest, verified = self.planner.rest(
                [before.agreed[request.vif_id] for request in before.requests], work.holdings
            )
        except exception.HostError as error:
            self._give_up(work, str(error), error.kwargs)
        if rest:
            missing = "; ".join(f"still to do: {task.step.text}" for task in rest)
            self._give_up(work, f"{missing}.", {"vif_id": rest[0].vif_id, "device": rest[0].step.device})
        return verified

    @contextlib.contextmanager
    def _answering(self, before: _Before, work: Work) -> Iterator[list[Confirmation]]:
        """What works now and must go on to. While there is such a thing, somebody watches that we are not killed."""
        context = before.requests[0].context if before.requests else ""
        answering = [one for one in work.confirmations if self._works(one.before, context)]
        if not answering:
            yield answering
            return
        held = {vif_id: list(holdings) for vif_id, holdings in work.holdings.items()}
        with self._watched("undo", before.scope, held, work):
            yield answering

    def _works(self, operation: Operation, context: str) -> bool:
        try:
            self.host.run([operation], context)
        except OperationFailed:
            return False
        return True

    def _watched(
        self, action: str, scope: Scope, held: Mapping[str, Sequence[Holding]], work: Work
    ) -> contextlib.AbstractContextManager[None]:
        from os_vif.host.access import watchdog  # few need them
        from os_vif.host.engine import rescue

        found = {vif_id: self.journal.record(scope, vif_id) for vif_id in held}
        keys = [h.resource.lock for holdings in held.values() for h in holdings if h.resource.lock]
        names = {f"{scope.namespace}/{name}" for name in (*keys, *(f"vif/{vif_id}" for vif_id in held))}
        plan = watchdog.Rescue(
            action,
            [rescue.to_primitive(task) for task in work.tasks],
            sorted(names),
            (scope.boot, scope.namespace),
            self.journal.identity,
            str(self._locks.path or ""),
            {vif_id: record.generation for vif_id, record in found.items() if record},
        )
        return self.host.watched(plan)

    def _confirm(self, work: Work, answering: Sequence[Confirmation]) -> None:
        context = work.tasks[0].context if work.tasks else ""
        for one in answering:
            if not self._works(one.after, context):
                complaints = self.executor.undo(work.tasks)
                reason = "; ".join([one.text, *complaints])
                raise exception.GatewayLost(reason=reason, device=one.device, vif_id=work.tasks[0].vif_id)

    def _give_up(self, work: Work, reason: str, where: Mapping[str, Any]) -> NoReturn:
        complaints = self.executor.undo(work.tasks)
        places = {name: where.get(name, "") for name in ("vif_id", "device")}
        raise exception.VerifyFailed(reason=" ".join([reason, *complaints]), **places)

    def _finish(self, before: _Before, work: Work, obsolete: Work, verified: Sequence[Holding]) -> None:
        errors = self.executor.do_all(obsolete.tasks)
        for error in errors:
            LOG.warning("Left over from how the VIF was plugged before: %s", error)
        gone = () if errors else obsolete.released
        try:
            vif_ids = [request.vif_id for request in before.requests]
            new = [one for one in verified if one.made and isinstance(one.resource, Link)]
            self.journal.finish(before.scope, vif_ids, obsolete.dropped, gone, new)
        except exception.JournalError:
            self.executor.undo(work.tasks)
            raise

    def _put_records_back(self, before: _Before) -> None:
        for request in before.requests:
            vif_id = request.vif_id
            record = before.known[vif_id]
            if record is not None:
                self.journal.write([(record, before.held[vif_id])])
            there_before = {holding.resource.key for holding in (*before.held[vif_id], *before.around[vif_id])}
            new = [resource.key for resource in request.desired if resource.key not in there_before]
            unneeded = [key for key in new if not self.journal.users(before.scope, key) - {vif_id}]
            self.journal.forget(before.scope, vif_id if record is None else "", unneeded)

    def _take_away(self, scope: Scope, known: Sequence[Record], leaving: Sequence[Leaving], work: Work) -> None:
        held = {one.purpose.vif_id: one.holdings for one in leaving}
        if known and work.tasks:
            # Whoever is killed now has unplugged nothing that the record does not tell of, or all of it is marked.
            with contextlib.suppress(exception.JournalError):
                self.journal.write([(with_status(r, UNPLUGGING), held[r.vif_id]) for r in known])
        vital = any(task.step.vital for task in work.tasks)
        with self._watched("finish", scope, held, work) if vital else contextlib.nullcontext():
            errors = self.executor.do_all(work.tasks)
        if errors:
            raise exception.UnplugIncomplete(errors)
        with unplugging_in_any_case(held):
            self.journal.forget_all(scope, held, work.released)


def _names(requests: Sequence[Request]) -> str:
    return "VIF " + ", ".join(request.vif_id for request in requests)


def _kind(scope: Scope, requests: Sequence[Request]) -> Hashable:
    """What may be done together: in one network namespace, and by the same plugins, which wait for the same things."""
    return scope, frozenset(request.plugin for request in requests)


def _joined_turns(turns: Sequence[_Turn]) -> tuple[Scope, list[Request], Held]:
    held = {vif_id: holdings for turn in turns for vif_id, holdings in turn.held.items()}
    return turns[0].scope, [request for turn in turns for request in turn.requests], held


def _to_change(
    requests: Sequence[Request], known: Mapping[str, Record | None], held: Held, work: Work, obsolete: Work
) -> list[Request]:
    """Those for which there is something to do, or to write down: also what could not be read."""
    busy = {task.vif_id for task in work.tasks} | {vif_id for vif_id, _ in obsolete.dropped}
    busy |= {r.vif_id for r in requests if len(held[r.vif_id]) < len(r.desired.resources)}
    return [r for r in requests if r.vif_id in busy or not is_current(r, known[r.vif_id])]


def _merged(old: Sequence[Holding], new: Sequence[Holding]) -> list[Holding]:
    """The new ones, then the old ones that are not among them any more."""
    stated = {holding.resource.key for holding in new}
    return [*new, *(holding for holding in old if holding.resource.key not in stated)]


def _joined(work: Work, more: Work) -> Work:
    return dataclasses.replace(work, tasks=work.tasks + more.tasks, notes=work.notes + more.notes)
