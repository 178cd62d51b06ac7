# SPDX-License-Identifier: Apache-2.0
"""The VIFs that a command is about: those of the files given or, without any, all that are recorded here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from os_vif import loading, plugging, upkeep
from os_vif.cli import reading, recorded
from os_vif.plugin import Plugin


class Subject(NamedTuple):
    """A VIF and its instance. ``unfinished``: the record says that work on it was cut off."""

    vif_id: str
    vif: Any
    instance: Any
    unfinished: str = ""

    @property
    def can_be_planned(self) -> bool:
        """Whether its plugin can say what it would do. Raises NoMatchingPlugin."""
        return isinstance(loading.plugin(self.vif.plugin), Plugin)


def chosen(files: Sequence[str]) -> list[Subject]:
    """Those of the files, or all recorded here. Raises CommandError, ObjectError."""
    if files:
        read = reading.entries(files)
        reading.check_sound(read)
        return [Subject(plugging.identity(entry.vif), entry.vif, entry.instance) for entry in read]
    return [_of_record(record) for record in recorded.here()]


def _of_record(record: Any) -> Subject:
    vif, instance = upkeep.recorded_pair(record)
    return Subject(record.vif_id, vif, instance, "" if record.status == "plugged" else record.status)
