# SPDX-License-Identifier: Apache-2.0
"""Doing what was planned: the intent is written down, the end read back, and all undone where it did not hold."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.access.host import HostAccess
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Confirmation, Holding
from os_vif.host.engine.executor import Executor
from os_vif.host.engine.planner import Leaving, Planner, Work
from os_vif.host.engine.records import new_record, unplugging_in_any_case, with_status
from os_vif.host.engine.request import Request
from os_vif.host.journal.journal import PLUGGING, UNPLUGGING, Journal, Record, Scope
from os_vif.host.process import signals
from os_vif.host.state import Link

LOG = logger(__name__)

#: What is held for each VIF, by its id.
Held = dict[str, list[Holding]]


@dataclass(frozen=True)
class Before:
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


class Changes:
    """Those to one host. ``locks_path``: of the locks that the caller holds; "" where these are in memory."""

    def __init__(
        self, host: HostAccess, journal: Journal, planner: Planner, executor: Executor, locks_path: str
    ) -> None:
        self._host = host
        self._journal = journal
        self._planner = planner
        self._executor = executor
        self._locks_path = locks_path

    def carry_out(self, before: Before, work: Work, obsolete: Work) -> None:
        """Does ``work``, and then takes away what is ``obsolete``. Raises a HostError; the host is then as it was."""
        with signals.deferred():
            self.write_records(PLUGGING, before, work)
            try:
                with self._answering(before, work) as answering:
                    self._executor.do_or_undo(work.tasks)
                    verified = self._verify(before, work)
                    self._confirm(work, answering)
                    self._finish(before, work, obsolete, verified)
            except exception.HostError as error:
                if not isinstance(error, exception.UndoFailed):
                    self._put_records_back(before)
                raise

    def write_records(self, status: str, before: Before, work: Work) -> None:
        """Records what is, or is to be, with what is held for it. Raises JournalError."""
        rows = []
        for request in before.requests:
            record = new_record(before.scope, request, status, before.known[request.vif_id], work.tasks)
            rows.append((record, merged(before.held[request.vif_id], work.holdings[request.vif_id])))
        self._journal.write(rows)

    def _verify(self, before: Before, work: Work) -> Sequence[Holding]:
        """Reads back, and returns what is held now; what did not stick is an error, and everything is undone."""
        try:
            rest, verified = self._planner.rest(
                [before.agreed[request.vif_id] for request in before.requests], work.holdings
            )
        except exception.HostError as error:
            self._give_up(work, str(error), error.kwargs)
        if rest:
            missing = "; ".join(f"still to do: {task.step.text}" for task in rest)
            self._give_up(work, f"{missing}.", {"vif_id": rest[0].vif_id, "device": rest[0].step.device})
        return verified

    @contextlib.contextmanager
    def _answering(self, before: Before, work: Work) -> Iterator[list[Confirmation]]:
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
            self._host.run([operation], context)
        except OperationFailed:
            return False
        return True

    def _watched(
        self, action: str, scope: Scope, held: Mapping[str, Sequence[Holding]], work: Work
    ) -> contextlib.AbstractContextManager[None]:
        from os_vif.host.access import watchdog  # few need them
        from os_vif.host.engine import rescue

        found = {vif_id: self._journal.record(scope, vif_id) for vif_id in held}
        keys = [h.resource.lock for holdings in held.values() for h in holdings if h.resource.lock]
        names = {f"{scope.namespace}/{name}" for name in (*keys, *(f"vif/{vif_id}" for vif_id in held))}
        plan = watchdog.Rescue(
            action,
            [rescue.to_primitive(task) for task in work.tasks],
            sorted(names),
            (scope.boot, scope.namespace),
            self._journal.identity,
            self._locks_path,
            {vif_id: record.generation for vif_id, record in found.items() if record},
        )
        return self._host.watched(plan)

    def _confirm(self, work: Work, answering: Sequence[Confirmation]) -> None:
        context = work.tasks[0].context if work.tasks else ""
        for one in answering:
            if not self._works(one.after, context):
                complaints = self._executor.undo(work.tasks)
                reason = "; ".join([one.text, *complaints])
                raise exception.GatewayLost(reason=reason, device=one.device, vif_id=work.tasks[0].vif_id)

    def _give_up(self, work: Work, reason: str, where: Mapping[str, Any]) -> NoReturn:
        complaints = self._executor.undo(work.tasks)
        places = {name: where.get(name, "") for name in ("vif_id", "device")}
        raise exception.VerifyFailed(reason=" ".join([reason, *complaints]), **places)

    def _finish(self, before: Before, work: Work, obsolete: Work, verified: Sequence[Holding]) -> None:
        errors = self._executor.do_all(obsolete.tasks)
        for error in errors:
            LOG.warning("Left over from how the VIF was plugged before: %s", error)
        gone = () if errors else obsolete.released
        try:
            vif_ids = [request.vif_id for request in before.requests]
            new = [one for one in verified if one.made and isinstance(one.resource, Link)]
            self._journal.finish(before.scope, vif_ids, obsolete.dropped, gone, new)
        except exception.JournalError:
            self._executor.undo(work.tasks)
            raise

    def _put_records_back(self, before: Before) -> None:
        for request in before.requests:
            vif_id = request.vif_id
            record = before.known[vif_id]
            if record is not None:
                self._journal.write([(record, before.held[vif_id])])
            there_before = {holding.resource.key for holding in (*before.held[vif_id], *before.around[vif_id])}
            new = [resource.key for resource in request.desired if resource.key not in there_before]
            unneeded = [key for key in new if not self._journal.users(before.scope, key) - {vif_id}]
            self._journal.forget(before.scope, vif_id if record is None else "", unneeded)

    def take_away(self, scope: Scope, known: Sequence[Record], leaving: Sequence[Leaving], work: Work) -> None:
        """Does ``work``, which takes away what leaves. Every step is tried. Raises UnplugIncomplete."""
        held = {one.purpose.vif_id: one.holdings for one in leaving}
        if known and work.tasks:
            # Whoever is killed now has unplugged nothing that the record does not tell of, or all of it is marked.
            with contextlib.suppress(exception.JournalError):
                self._journal.write([(with_status(r, UNPLUGGING), held[r.vif_id]) for r in known])
        vital = any(task.step.vital for task in work.tasks)
        with self._watched("finish", scope, held, work) if vital else contextlib.nullcontext():
            errors = self._executor.do_all(work.tasks)
        if errors:
            raise exception.UnplugIncomplete(errors)
        with unplugging_in_any_case(held):
            self._journal.forget_all(scope, held, work.released)


def merged(old: Sequence[Holding], new: Sequence[Holding]) -> list[Holding]:
    """The new ones, then the old ones that are not among them any more."""
    stated = {holding.resource.key for holding in new}
    return [*new, *(holding for holding in old if holding.resource.key not in stated)]
