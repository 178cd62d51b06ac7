# SPDX-License-Identifier: Apache-2.0
"""Progress of what may take long: a bar on a terminal, lines elsewhere, nothing for a handful of VIFs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from os_vif.cli.output import Output

#: So few are done before a bar could be read.
WORTH_SHOWING = 20

#: Without a terminal: a line every so many.
_LINE_EVERY = 50

#: Called with (done, in all).
Report = Callable[[int, int], None]


@contextlib.contextmanager
def progress(output: Output, doing: str, total: int) -> Iterator[Report]:
    """Yields what to call with (done, in all). Everything goes to stderr, so that results stay clean."""
    if output.quiet or total < WORTH_SHOWING:
        yield lambda done, total: None
        return
    console = output.console(stderr=True)
    if console is None:
        yield lambda done, total: _line(doing, done, total)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(doing, total=total)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _line(doing: str, done: int, total: int) -> None:
    if done == total or done % _LINE_EVERY == 0:
        print(f"{doing}: {done} of {total}", file=sys.stderr)
