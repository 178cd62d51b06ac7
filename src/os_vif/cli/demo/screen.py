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
        self._last = ("", "")
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
        """One act; what is shown meanwhile belongs to it. The time that it took stands at the end of its last line."""
        self._number += 1
        self.acts.append({"act": title, "lines": [], "milliseconds": None})
        self._output.line()
        heading = f"{self._number:>2}  {title} "
        self._output.pieces((heading, "strong"), (self._line * (self._width - len(heading)), "dim"))
        yield
        took = self.acts[-1]["milliseconds"]
        self._flush("" if took is None else f"{took:.1f} ms")

    @contextlib.contextmanager
    def timed(self) -> Iterator[None]:
        """Around what is worth measuring in an act."""
        started = time.monotonic()
        yield
        before = self.acts[-1]["milliseconds"] or 0.0
        self.acts[-1]["milliseconds"] = round(before + (time.monotonic() - started) * 1000, 1)

    def say(self, text: str, style: str = "") -> None:
        """A line of an act; a good or bad one gets a mark."""
        self._flush()
        self.acts[-1]["lines"].append(text)
        mark = f"{self._marks[style]} " if style in self._marks else ""
        self._last = (f"{_INDENT}{mark}{text}", style)

    def _flush(self, took: str = "") -> None:
        text, style = self._last
        self._last = ("", "")
        room = self._width - len(text) - len(took)
        if not text and not took:
            return
        if room < 1:
            self._output.line(text, style)
            text, style, room = "", "", self._width - len(took)
        gap = " " * room if took else ""
        self._output.pieces((text, style), (gap + took, "dim"))
