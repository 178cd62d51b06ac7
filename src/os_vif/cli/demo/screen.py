# SPDX-License-Identifier: Apache-2.0
"""What the demo shows: numbered acts, each with what it took, on a terminal of any width, or in a log."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

from os_vif.cli.output import Output

_WIDEST = 100
_INDENT = "    "


class Screen:
    """Prints acts as they go, and remembers them for --output json."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)
        self._number = 0
        self.acts: list[dict[str, Any]] = []
        unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        self._marks = {"good": "✔", "bad": "✘", "warn": "!"} if unicode else {"good": "+", "bad": "-", "warn": "!"}
        self.arrow = "→" if unicode else "->"
        self._line = "─" if unicode else "-"

    def title(self, text: str, subtitle: str) -> None:
        """The beginning."""
        self._output.line(text, "strong")
        self._output.line(subtitle, "dim")

    @contextlib.contextmanager
    def act(self, title: str) -> Iterator[None]:
        """One act; what is shown meanwhile belongs to it. Its time goes below it."""
        self._number += 1
        self.acts.append({"act": title, "lines": [], "milliseconds": 0.0})
        self._output.line()
        self._output.line(f"{self._number:>2}  {title} ".ljust(self._width, self._line), "strong")
        yield

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Around what is worth measuring in an act."""
        started = time.monotonic()
        yield
        self.acts[-1]["milliseconds"] += round((time.monotonic() - started) * 1000, 1)

    def took(self) -> None:
        """Says how long the act took."""
        self._output.line(f"{self.acts[-1]['milliseconds']:.1f} ms".rjust(self._width), "dim")

    def say(self, text: str, style: str = "") -> None:
        """A line of an act; a good or bad one gets a mark."""
        self.acts[-1]["lines"].append(text)
        mark = f"{self._marks[style]} " if style in self._marks else ""
        self._output.line(f"{_INDENT}{mark}{text}", style)
