# SPDX-License-Identifier: Apache-2.0
"""What goes to stdout: JSON for programs; tables and lines for people, coloured on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from os_vif.exception.plain import plain

if TYPE_CHECKING:
    from rich.console import Console

    from os_vif.cli.errors import CommandError
    from os_vif.exception import ExceptionBase

_STYLES = {"bad": "31", "good": "32", "warn": "33", "dim": "2", "strong": "1"}


class Output:
    """Where a command's results go. ``as_json``: one JSON document; ``quiet``: nothing for people."""

    def __init__(self, *, as_json: bool = False, color: bool = True, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._color = color and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"

    def document(self, value: Any) -> None:
        """The result for programs; left out when people are reading."""
        if self.as_json:
            self.json(value)

    def json(self, value: Any) -> None:
        """A JSON document, whoever reads it."""
        import json

        print(json.dumps(value, indent=2, ensure_ascii=False))

    def line(self, text: str = "", style: str = "") -> None:
        """A line for people."""
        self.pieces((text, style))

    def block(self, text: str) -> None:
        """Several lines for people, as a hypervisor takes them."""
        for line in text.splitlines():
            self.line(line)

    def pieces(self, *pieces: tuple[str, str]) -> None:
        """A line for people, made of (text, style)."""
        if not self.as_json and not self.quiet:
            print("".join(self.styled(plain(text), style, sys.stdout) for text, style in pieces))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table for people."""
        if self.as_json or self.quiet:
            return
        from os_vif.cli import table

        rows = [[plain(cell) for cell in row] for row in rows]
        console = self.console()
        if console is not None:
            table.draw(console, columns, rows)
        else:
            print(table.aligned(columns, rows))

    def warn(self, text: str) -> None:
        """A warning, on stderr whoever reads."""
        print(self.styled("warning:", "warn", sys.stderr), plain(text), file=sys.stderr)

    def hints(self, errors: Iterable[ExceptionBase | None]) -> None:
        """What to do about errors that a table tells of, each once, on stderr."""
        if not self.as_json:
            for hint in dict.fromkeys(error.hint for error in errors if error and error.hint):
                print(self.styled(f"  hint: {plain(hint)}", "dim", sys.stderr), file=sys.stderr)

    def error(self, error: CommandError) -> None:
        """An error: on stdout as JSON for programs, on stderr for people."""
        if self.as_json:
            self.json({"error": error.to_primitive()})
            return
        first, *others = map(plain, error.lines())
        print(self.styled("error:", "bad", sys.stderr), first, file=sys.stderr)
        for line in others:
            print(self.styled(line, "dim" if line.startswith("  hint:") else "", sys.stderr), file=sys.stderr)

    def styled(self, text: str, style: str, stream: TextIO) -> str:
        """``text`` in a colour, where that can be seen."""
        if not style or not self._color or not stream.isatty():
            return text
        return f"\033[{_STYLES[style]}m{text}\033[0m"

    def console(self, *, stderr: bool = False) -> Console | None:
        """rich's console; None when rich is missing or nobody is looking."""
        stream = sys.stderr if stderr else sys.stdout
        if not stream.isatty() or os.environ.get("TERM") == "dumb":
            return None
        try:
            from rich.console import Console
        except ImportError:
            return None
        return Console(stderr=stderr, no_color=not self._color, highlight=False)
