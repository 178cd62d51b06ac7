# SPDX-License-Identifier: Apache-2.0
"""Making the records of the journal anew: from what is left of it, its backups, the attachments, and marks on the host.

Each source only adds what the better ones before it did not know. The host is not touched.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from os_vif import exception
from os_vif.host.contract.plan import Holding
from os_vif.host.engine import found
from os_vif.host.engine.engine import Engine
from os_vif.host.journal import backups, salvage, store
from os_vif.host.journal.journal import Record, Scope
from os_vif.lifecycle import claims
from os_vif.lifecycle.attachments import Attachment, Phase
from os_vif.plugging import current, requests, upkeep

_PREPARED = (Phase.PREPARING, Phase.PREPARED)


@dataclass(frozen=True)
class Rebuilt:
    """A record made anew, or one that could not be, with an ``error``. ``source`` says what it is made from."""

    vif_id: str
    source: str
    what: tuple[str, ...] = ()
    error: exception.ExceptionBase | None = None


@dataclass(frozen=True)
class Rebuilding:
    """``aside``: where the damaged journal was put, if it was damaged. ``damage``: what is wrong with it, in words."""

    records: tuple[Rebuilt, ...] = ()
    damage: tuple[str, ...] = ()
    aside: Path | None = None


def rebuild(*, dry_run: bool) -> Rebuilding:
    """Makes the records that are missing; with ``dry_run`` only tells which. Raises JournalError, HostError."""
    engine = current.engine()
    path = Path(engine.journal.path)
    damage = salvage.damage(path) if engine.journal.identity else []
    left = salvage.read(path) if damage else salvage.Salvaged()
    aside = None
    if damage and not dry_run:
        aside = _set_aside(engine)
    rebuilder = _Rebuilder(engine, dry_run=dry_run, begins_anew=bool(damage))
    return Rebuilding(tuple(rebuilder.run(left)), tuple(damage), aside)


def _set_aside(engine: Engine) -> Path:
    try:
        return store.set_aside(engine.journal)
    except OSError as error:
        reason = f"it is damaged, and cannot be set aside: {error.strerror or error}."
        raise exception.JournalError(path=engine.journal.path, reason=reason) from error


class _Rebuilder:
    """``begins_anew``: what is in the journal now does not count."""

    def __init__(self, engine: Engine, *, dry_run: bool, begins_anew: bool) -> None:
        self._engine = engine
        self._dry_run = dry_run
        self._here = engine.scope()
        self._marked, _ = upkeep.garbage_collector().marked(recorded=not begins_anew)
        records = [] if begins_anew and dry_run else engine.journal.sorted_out()[0]
        # What only marks told of is completed where more is known.
        self._known = {(one.vif_id, one.scope.namespace) for one in records if found.is_complete(one)}
        self._told_by_marks = {one.vif_id for one in records if not found.is_complete(one)}

    def run(self, left: salvage.Salvaged) -> Iterator[Rebuilt]:
        yield from self._from(left, "the damaged journal", lambda record, held: True)
        path = Path(self._engine.journal.path)
        if self._engine.journal.identity:
            for number, one in enumerate([*store.those_set_aside(path), *backups.of_file(path.parent, path.name)]):
                fits = self._is_there if number else self._is_there_or_elsewhere
                yield from self._from(salvage.read(one), _named(one), fits)
        for attachment in claims.attached():
            yield from self._from_attachment(attachment)
        yield from self._from_marks()

    def _from(
        self, salvaged: salvage.Salvaged, source: str, fits: Callable[[Record, Sequence[Holding]], bool]
    ) -> Iterator[Rebuilt]:
        for record, held in salvaged.records:
            is_wanted = found.is_complete(record) and self._is_new(record.vif_id, record.scope)
            if is_wanted and fits(record, held):
                yield self._write(record, found.completed(record, held, self._marked), source)

    def _is_there_or_elsewhere(self, record: Record, held: Sequence[Holding]) -> bool:
        """What holds in another namespace, or is to be restored, cannot be looked at."""
        return record.scope != self._here or self._is_there(record, held)

    def _is_there(self, record: Record, held: Sequence[Holding]) -> bool:
        """Whether the host still has what a VIF holds: its own devices or, where it has none, what it shares."""
        if record.scope != self._here:
            return False
        made = [one.resource for one in held if one.made]
        own = [one for one in made if not one.shared]
        there = {one.resource.key for one in self._marked if one.vif_id in ("", record.vif_id)}
        return not made or any(resource.key in there for resource in own or made)

    def _from_attachment(self, attachment: Attachment) -> Iterator[Rebuilt]:
        vif = attachment.bound.vif
        vif_id = requests.identity(vif)
        if not self._is_new(vif_id, self._here):
            return
        source = f"the attachment of guest {attachment.spec.guest.name}"
        try:
            if not self._dry_run:
                self._adopt(attachment)
        except exception.ExceptionBase as error:
            yield Rebuilt(vif_id, source, error=error)
            return
        self._known.add((vif_id, self._here.namespace))
        yield Rebuilt(vif_id, source, (str(getattr(vif, "vif_name", "") or vif_id),))

    def _adopt(self, attachment: Attachment) -> None:
        upkeep.adopt(attachment.bound.vif, attachment.spec.instance, silent=attachment.phase in _PREPARED)

    def _from_marks(self) -> Iterator[Rebuilt]:
        """What names this journal, or none: nobody else can know it."""
        own: dict[str, list[Holding]] = {}
        for one in self._marked:
            is_new = self._is_new(one.vif_id, self._here) and one.vif_id not in self._told_by_marks
            if one.vif_id and is_new and not one.elsewhere:
                own.setdefault(one.vif_id, []).append(Holding(one.resource, made=True))
        for vif_id, made in own.items():
            held = found.holdings(self._engine.host, made)
            yield self._write(found.record(self._here, vif_id, held), held, "marks on the host")

    def _is_new(self, vif_id: str, scope: Scope) -> bool:
        return (vif_id, scope.namespace) not in self._known

    def _write(self, record: Record, held: Sequence[Holding], source: str) -> Rebuilt:
        self._known.add((record.vif_id, record.scope.namespace))
        what = tuple(one.resource.label for one in held)
        if self._dry_run:
            return Rebuilt(record.vif_id, source, what)
        journal = self._engine.journal
        try:
            with self._engine.holding_keys(record.scope, [f"vif/{record.vif_id}"]):
                there = journal.record(record.scope, record.vif_id)
                if there is None or not found.is_complete(there):
                    # What is known of something shared is not forgotten for what was known once.
                    now = [journal.holding(record.scope, one.resource.key) or one for one in held]
                    journal.write([(record, now)])
        except exception.HostError as error:
            return Rebuilt(record.vif_id, source, what, error)
        return Rebuilt(record.vif_id, source, what)


def _named(path: Path) -> str:
    if path.parent.name == "backups":
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(backups.moment_of(path)))
        return f"the backup of {moment}"
    return path.name
