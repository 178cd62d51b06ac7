# SPDX-License-Identifier: Apache-2.0
"""The VIFs that a command is about: those of the files given or, without any, all that are recorded here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from os_vif import exception
from os_vif.cli import errors, reading, recorded
from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.progress import progress
from os_vif.cli.reading import Entry
from os_vif.loading import plugins
from os_vif.plugging import requests, upkeep
from os_vif.plugin import Plugin


class Subject(NamedTuple):
    """A VIF, by the file that it was read from or by its record."""

    vif_id: str
    entry: Entry | None = None
    record: Any = None
    error: exception.ExceptionBase | None = None

    def pair(self) -> tuple[Any, Any]:
        """The VIF and its instance. Raises ObjectError, RecordDamaged."""
        if self.error is not None:
            raise self.error
        return (self.entry.vif, self.entry.instance) if self.entry else upkeep.recorded_pair(self.record)

    @property
    def cut_off(self) -> str:
        """What was being done to the VIF when the process ended; "" when nothing was."""
        return "" if self.record is None or self.record.status == "plugged" else str(self.record.status)


def chosen(files: Sequence[str]) -> list[Subject]:
    """Those of the files, or all recorded here. Raises CommandError."""
    if files:
        read = reading.entries(files)
        reading.check_sound(read)
        return [Subject(requests.identity(entry.vif), entry=entry) for entry in read]
    damaged = [Subject(one.vif_id or "?", error=one.error) for one in recorded.damaged_here()]
    return [*(Subject(record.vif_id, record=record) for record in recorded.here()), *damaged]


#: Of a VIF whose record was made anew from marks.
ONLY_MARKS = "only its devices are known, by their marks; plug it again, and its record is complete"


def is_complete(subject: Subject) -> bool:
    """Whether what was asked for is known."""
    from os_vif.host.engine import found

    return subject.record is None or found.is_complete(subject.record)


def can_be_planned(vif: Any) -> bool:
    """Whether the VIF's plugin can say what it would do. Raises NoMatchingPlugin."""
    return isinstance(plugins.plugin(vif.plugin), Plugin)


def each(
    subjects: Sequence[Subject], output: Output, doing: str, work: Callable[[Subject], dict[str, Any]]
) -> tuple[list[dict[str, Any]], ExitCode]:
    """What ``work`` answers for each, and how it ended. An error of one is told, and does not keep the others."""
    results = []
    said: set[str] = set()
    code = ExitCode.OK
    with progress(output, doing, len(subjects)) as report:
        for number, subject in enumerate(subjects, 1):
            try:
                results.append({"vif_id": subject.vif_id, **work(subject), "error": None})
            except (CommandError, exception.ExceptionBase) as error:
                told = error if isinstance(error, CommandError) else errors.of_library(error)
                results.append({"vif_id": subject.vif_id, "error": told.to_primitive()})
                code = code or told.exit_code
                if not output.as_json and str(told) not in said:
                    output.error(told)
                    said.add(str(told))
            report(number, len(subjects))
    return results, code


def located(subject: Subject) -> Any:
    """Around work on a subject: an error about a field names the place in the file."""
    return reading.located([subject.entry] if subject.entry else [])
