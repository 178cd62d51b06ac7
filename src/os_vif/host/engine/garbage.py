# SPDX-License-Identifier: Apache-2.0
"""Garbage collection: what is on the host, or in the journal, and belongs to nobody any more.

Ownership is proved for each thing: by a record, or by the mark on a device. Nothing else is ever removed; and what
only a mark tells of goes when it is asked for expressly, and nobody seems to need it (orphans.py).
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from os_vif import exception
from os_vif.host import state
from os_vif.host.access import privileged
from os_vif.host.contract.backend import Marked, Purpose
from os_vif.host.contract.plan import Holding
from os_vif.host.engine import orphans, related
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.orphans import Claims
from os_vif.host.engine.planner import Leaving
from os_vif.host.engine.request import Request
from os_vif.host.journal.journal import PLUGGED, Damaged, Record, Scope
from os_vif.host.state import HostState, Resource
from os_vif.host.state.ovs import OvsPort, OvsResource

UNFINISHED, UNWANTED, UNUSED, ORPHAN, OUTDATED = "unfinished", "unwanted", "unused", "orphan", "outdated"
UNSEARCHED, UNREADABLE = "unsearched", "unreadable"

_REASONS = {
    UNFINISHED: "was being plugged or unplugged when the process ended",
    UNWANTED: "is not among the VIFs to keep",
    UNUSED: "was shared, and no VIF uses it any more",
    ORPHAN: "bears the mark of os-vif, and no record knows it",
    OUTDATED: "is recorded for a network namespace of an earlier boot",
    UNSEARCHED: "could not be searched",
    UNREADABLE: "cannot be read",
}


@dataclass(frozen=True)
class Finding:
    """One thing to remove: a VIF with all that is held for it, or a single device or port.

    Or, with an error from the beginning, what could not be looked at or into. ``left`` says why it is not removed;
    ``lost``: its mark names our journal, which does not know it (any more). ``together``: goes in the same breath.
    """

    kind: str
    vif_id: str
    what: str
    record: Record | None = None
    holding: Holding | None = None
    removed: bool = False
    error: exception.HostError | None = None
    damaged: Damaged | None = None
    left: str = ""
    lost: bool = False
    together: tuple[Holding, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is garbage."""
        return _REASONS[self.kind]

    def __str__(self) -> str:
        return f"{self.what} {self.reason}"


class GarbageCollector:
    """Finds and removes garbage in the network namespace of the calling thread.

    ``unplug_imperative`` unplugs a recorded VIF whose plugin does its work itself, and says whether it did.
    ``places`` are resources that tell where else than in the places of recorded ones to look for what is ours.
    """

    def __init__(
        self,
        engine: Engine,
        unplug_imperative: Callable[[Record], bool] = lambda record: False,
        places: Iterable[Resource] = (),
    ) -> None:
        self._engine = engine
        self._unplug_imperative = unplug_imperative
        self._places = tuple(places)

    def find(
        self, keep: set[str] | None = None, *, orphans: bool = False, claims: Callable[[], Claims] = Claims
    ) -> list[Finding]:
        """What can be removed now; with ``keep``, also every VIF whose id is not in it. Changes nothing.

        What only its mark tells of is in it in any case, and says why it is left: always without ``orphans``, and with
        it what is in use, what ``claims`` name, and what is to be kept.
        """
        scope = self._engine.scope()
        # Devices first: one that is made after this look is not in it, one made before has its intent recorded.
        marked, unsearched = self.marked()
        unowned = self._orphans(scope, marked, claims, keep or set(), asked=orphans)
        return [*self._records(scope, keep), *self._unused(scope), *unowned, *unsearched]

    def lost(self, *, switches: bool = True) -> list[Finding]:
        """What names our journal, which does not know it (any more). ``switches``: also what Open vSwitch has of it."""
        scope = self._engine.scope()
        marked = self.marked()[0] if switches else self._engine.backends["link"].marked()
        return [one for one in self._orphans(scope, marked, Claims, (), asked=False) if one.lost]

    def marked(self, *, recorded: bool = True) -> tuple[list[Marked], list[Finding]]:
        """All on this host that bears our mark, whoever knows it, and what could not be searched for it.

        ``recorded``: also in the switches that only records tell of.
        """
        return self._search(self._recorded_resources(self._engine.scope()) if recorded else ())

    def remove(self, finding: Finding) -> Finding:
        """Removes what was found. The result says whether it is gone, and holds the error if it is not."""
        if finding.damaged:
            return self._forget_damaged(finding, finding.damaged)
        if finding.error or finding.left:
            return finding
        try:
            if finding.kind == OUTDATED:
                self._forget(finding)
            elif finding.record is not None:
                self.unplug(finding.record)
            else:
                return dataclasses.replace(finding, removed=self._take_away(finding))
        except exception.HostError as error:
            return dataclasses.replace(finding, error=error)
        except exception.ExceptionBase as error:
            return dataclasses.replace(finding, error=exception.HostError(str(error)))
        return dataclasses.replace(finding, removed=True)

    def unplug(self, record: Record) -> None:
        """Takes away what is recorded for a VIF. Raises UnplugIncomplete and what the plugin raises."""
        if not self._unplug_imperative(record):
            self._engine.unplug([_request_of(record)])

    def _records(self, scope: Scope, keep: set[str] | None) -> Iterator[Finding]:
        records, damaged = self._engine.journal.sorted_out()
        for record in records:
            kind = _kind_of(record, scope, keep)
            if kind:
                yield Finding(kind, record.vif_id, f"VIF {record.vif_id}", record=record)
        for one in [*damaged, *self._engine.journal.damaged_holdings()]:
            if one.scope.namespace == scope.namespace:
                yield Finding(UNREADABLE, one.vif_id, str(one.error.kwargs["what"]), error=one.error, damaged=one)

    def _unused(self, scope: Scope) -> Iterator[Finding]:
        """What is shared goes with the bridge it belongs to, or not at all."""
        for group in related.groups(self._engine.journal.unused(scope)):
            finding = Finding(UNUSED, "", _name_of(group[0].resource), holding=group[0], together=tuple(group[1:]))
            try:
                if not self._reason_to_stay(group):
                    yield finding
            except exception.HostError as error:
                yield dataclasses.replace(finding, error=error)

    def _search(self, recorded: Iterable[Resource]) -> tuple[list[Marked], list[Finding]]:
        """All that bears our mark, and what could not be searched for it."""
        marked: list[Marked] = []
        unsearched = []
        known = [*self._places, *recorded]
        for name in self._engine.backends:
            for search in self._searches(name, known):
                try:
                    marked += search()
                except exception.HostError as error:
                    unsearched.append(Finding(UNSEARCHED, "", str(error.kwargs.get("place", name)), error=error))
        return marked, unsearched

    def _searches(self, name: str, known: Iterable[Resource]) -> Sequence[Callable[[], Sequence[Marked]]]:
        """One for each place that the backend is in; most are in one."""
        try:
            backend = self._engine.backends[name]
        except exception.BackendUnavailable:
            return [lambda: self._engine.backends[name].marked()]
        searches = getattr(backend, "searches", None)
        return searches(known) if searches else [backend.marked]

    def _recorded_resources(self, scope: Scope) -> Iterator[Resource]:
        for record in self._engine.journal.sorted_out()[0]:
            yield from _request_of(record).desired
        yield from (holding.resource for holding in self._engine.journal.unused(scope))

    def _orphans(
        self,
        scope: Scope,
        marked: Sequence[Marked],
        claims: Callable[[], Claims],
        keep: Collection[str],
        *,
        asked: bool,
    ) -> Iterator[Finding]:
        recorded = self._recorded_vifs()
        elsewhere = {one.vif_id for one in marked if one.elsewhere and one.vif_id}
        unknown = [
            one
            for one in marked
            if not one.elsewhere
            and one.vif_id not in elsewhere
            and not self._engine.journal.is_held(scope, one.resource.key)
            and not _is_explained(one.vif_id, one.resource, recorded)
        ]
        if not unknown:
            return
        reason_to_stay = functools.partial(self._reason_to_stay, orphan=True)
        for orphan in orphans.judged(unknown, claims(), keep, recorded, reason_to_stay):
            one = orphan.marked
            yield Finding(
                ORPHAN,
                one.vif_id,
                _name_of(one.resource),
                holding=orphan.holding,
                left=orphan.stays or ("" if asked else orphans.UNASKED),
                lost=one.ours,
                together=orphan.together,
            )

    def _is_needed_by_now(self, finding: Finding) -> bool:
        """Whether a VIF was plugged since what seemed an orphan was found, or a process has come to hold it open."""
        if finding.kind != ORPHAN:
            return False
        assert finding.holding is not None
        resource = finding.holding.resource
        backend = self._engine.backends[resource.backend]
        held_open = getattr(backend, "is_held_open", None)
        if _is_explained(finding.vif_id, resource, self._recorded_vifs()) or (held_open and held_open(resource)):
            return True
        # What was being made by a service with another journal tells of it by now.
        marked = backend.marked() if not finding.vif_id else ()
        return any(one.resource.key == resource.key and (one.elsewhere or one.vif_id) for one in marked)

    def _recorded_vifs(self) -> set[str]:
        return self._engine.journal.vif_ids()

    def _reason_to_stay(
        self, together: Sequence[Holding], before: Sequence[Holding] = (), *, orphan: bool = False
    ) -> str:
        """Why what is shared is still used, once what goes ``before`` has gone; "" where it is not."""
        if not any(holding.resource.shared for holding in together):
            return ""
        notes = self._engine.planner.unplug([_alone("", *before, *together, orphan=orphan)]).notes
        return notes[0].partition(" stays: ")[2] if notes else ""

    def _forget(self, finding: Finding) -> None:
        assert finding.record is not None
        scope = finding.record.scope
        keys = self._engine.journal.keys(scope, finding.vif_id)
        self._engine.journal.forget(scope, finding.vif_id, keys)

    def _forget_damaged(self, finding: Finding, damaged: Damaged) -> Finding:
        """What no VIF uses (any more): if it is there and ours, it bears a mark. The others go with their VIFs."""
        journal = self._engine.journal
        try:
            if damaged.key and not journal.users(damaged.scope, damaged.key):
                journal.forget(damaged.scope, "", [damaged.key])
            known = journal.is_held(damaged.scope, damaged.key) if damaged.key else damaged.vif_id in journal.vif_ids()
        except exception.JournalError as error:
            return dataclasses.replace(finding, error=error)
        return finding if known else dataclasses.replace(finding, removed=True, error=None)

    def _take_away(self, finding: Finding) -> bool:
        """Whether it is gone; it stays where somebody has come to need it since."""
        assert finding.holding is not None
        scope = self._engine.scope()
        holdings = (finding.holding, *finding.together)
        keys = [holding.resource.key for holding in holdings]
        with self._engine.holding_keys(scope, keys):
            if any(self._engine.journal.users(scope, key) for key in keys) or self._is_needed_by_now(finding):
                return False
            leaving = _alone(finding.vif_id, *holdings, orphan=finding.kind == ORPHAN)
            work = self._engine.planner.unplug([leaving])
            errors = self._engine.executor.do_all(work.tasks)
            if errors:
                raise exception.UnplugIncomplete(errors)
            self._engine.journal.forget(scope, "", work.released)
        return not work.notes


def _kind_of(record: Record, scope: Scope, keep: set[str] | None) -> str:
    if record.scope.boot != scope.boot:
        unwanted = keep is not None and record.vif_id not in keep
        return OUTDATED if unwanted or record.scope.namespace != "initial" else ""
    if record.scope != scope:
        return ""
    if record.status != PLUGGED:
        return UNFINISHED
    return UNWANTED if keep is not None and record.vif_id not in keep else ""


def _is_explained(vif_id: str, resource: Resource, recorded: set[str]) -> bool:
    """By a record of any namespace and boot: a switch serves several namespaces, and its rows outlive a boot."""
    return isinstance(resource, OvsResource) and vif_id in recorded


def _name_of(resource: Resource) -> str:
    if not isinstance(resource, OvsResource):
        return resource.label
    bridge = f" on Open vSwitch bridge {resource.bridge}" if isinstance(resource, OvsPort) else ""
    return f"{resource.label}{bridge} at {resource.database}"


def _alone(vif_id: str, *holdings: Holding, orphan: bool = False) -> Leaving:
    return Leaving(Purpose(vif_id, privileged.DEFAULT_CONTEXT), holdings, orphan=orphan)


def _request_of(record: Record) -> Request:
    return Request(record.vif_id, record.plugin, HostState(tuple(_known_resources(record))), record.context)


def _known_resources(record: Record) -> Iterator[Resource]:
    """Without those of a plugin that is no longer installed: what is held for a VIF counts in any case."""
    for data in json.loads(record.desired):
        with contextlib.suppress(exception.HostError, ValueError, TypeError, LookupError, AttributeError):
            yield state.from_primitive(data)
