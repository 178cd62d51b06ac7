# SPDX-License-Identifier: Apache-2.0
"""Whether the journal and what is beside it can be read, and tells what is on the host. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from os_vif import exception
from os_vif.host.engine import found
from os_vif.host.journal import backups, salvage
from os_vif.host.journal.journal import PLUGGED, Record
from os_vif.plugging import current, upkeep

DAMAGED, UNREADABLE, DEVICE_MISSING, NOT_RECORDED = "damaged", "unreadable", "device-missing", "not-recorded"
UNFINISHED, UNSEARCHED, UNAVAILABLE = "unfinished", "unsearched", "unavailable"


@dataclass(frozen=True)
class Trouble:
    """``kind``: one of the above; ``vif_id``: "" where it is about no VIF, or several."""

    kind: str
    vif_id: str
    text: str


def verify() -> list[Trouble]:
    """All that is wrong, the worst first. Raises HostError."""
    engine = current.engine()
    damage = [*_damage()] if engine.journal.identity else []
    try:
        return [*damage, *_unreadable(), *_compared()]
    except exception.JournalError as error:
        return damage or [Trouble(DAMAGED, "", str(error))]


def _damage() -> Iterator[Trouble]:
    path = Path(current.engine().journal.path)
    for name in backups.FILES:
        file = path.with_name(name) if name != "journal.db" else path
        if file.exists():
            yield from (Trouble(DAMAGED, "", f"{file}: {what}") for what in salvage.damage(file))


def _unreadable() -> Iterator[Trouble]:
    journal = current.engine().journal
    for one in [*journal.sorted_out()[1], *journal.damaged_holdings()]:
        yield Trouble(UNREADABLE, one.vif_id, str(one.error))
    for stranded in journal.stranded(current.engine().scope().boot):
        resource = stranded.resource
        yield Trouble(
            UNAVAILABLE, stranded.vif_id, f"{resource.label} ({resource.kind}) is left alone. {resource.error}"
        )


def _compared() -> Iterator[Trouble]:
    engine = current.engine()
    here = engine.scope()
    for record in engine.journal.sorted_out()[0]:
        if record.scope == here:
            yield from _missing(record)
    collector = upkeep.garbage_collector()
    for one in collector.lost():
        yield Trouble(NOT_RECORDED, one.vif_id, f"{one.what} names this journal, and no record knows it")
    for one in collector.marked()[1]:
        yield Trouble(UNSEARCHED, "", f"{one}: {one.error}")


def _missing(record: Record) -> Iterator[Trouble]:
    if record.status != PLUGGED:
        yield Trouble(UNFINISHED, record.vif_id, f"{record.status} was cut off; `vif gc` takes away what is left of it")
        return
    for text in missing_devices(record):
        yield Trouble(DEVICE_MISSING, record.vif_id, text)


def missing_devices(record: Record) -> list[str]:
    """What is recorded as made by us and is not there, in words."""
    engine = current.engine()
    held = engine.journal.holdings(record.scope, record.vif_id)
    return [f"{label} is recorded, and not there" for label in found.missing(engine.host, held)]
