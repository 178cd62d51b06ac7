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

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.access.host import HostAccess
from os_vif.host.contract.backend import KnownBackend
from os_vif.host.contract.plan import Plan
from os_vif.host.engine import found, renamed, settling
from os_vif.host.engine.changes import Before, Changes, Held, merged
from os_vif.host.engine.executor import Executor, Observer
from os_vif.host.engine.group_commit import GroupCommit
from os_vif.host.engine.planner import Planner, Task, Work
from os_vif.host.engine.records import is_current, new_record
from os_vif.host.engine.registry import Backends
from os_vif.host.engine.release import Departures
from os_vif.host.engine.request import Request
from os_vif.host.journal import identity
from os_vif.host.journal.journal import PLUGGED, Journal, Record, Scope
from os_vif.host.journal.locks import Locks
from os_vif.host.journal.tables import MEMORY
from os_vif.host.process import signals
from os_vif.host.process.deadline import Deadline, of_call

LOG = logger(__name__)

#: Seconds that one call may take, waiting for locks included.
DEFAULT_SECONDS = 60.0

_UNREAD = "%s: unplugged by the marks on what was made, because the record cannot be read. Shared devices stay. %s %s"


@dataclass(frozen=True)
class _Turn:
    """What one thread asks for, its locks taken. ``held`` is what the VIFs hold."""

    scope: Scope
    requests: Sequence[Request]
    held: Held
    deadline: Deadline


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
        self._changes = Changes(host, journal, self.planner, self.executor, str(locks.path or ""))
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
        before = Before(scope, changing, {request.vif_id: request for request in agreed}, known, held, around)
        if work.tasks or obsolete.dropped:
            for turn in turns:
                turn.deadline.check("its turn to change the host")
            self._changes.carry_out(before, work, obsolete)
        elif before.requests:
            self._changes.write_records(PLUGGED, before, work)
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
            self._changes.take_away(scope, known, leaving, work)
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
            self.journal.write([(record, merged(held[request.vif_id], work.holdings[request.vif_id]))])
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


def _joined(work: Work, more: Work) -> Work:
    return dataclasses.replace(work, tasks=work.tasks + more.tasks, notes=work.notes + more.notes)
