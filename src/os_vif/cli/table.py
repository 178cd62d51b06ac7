# SPDX-License-Identifier: Apache-2.0
"""Tables: drawn on a terminal, and made to fit it; aligned columns for a pipe, with all that is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

Rows = Sequence[Sequence[str]]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

#: Characters of a UUID that are left where there is no room for all: as many as device names have of it, or more.
_SHORTEST_UUID = 8

#: Between two columns, for a pipe and as they are drawn.
_GAP, _DRAWN_GAP = 2, 3

_CELL_STYLES = {
    "green": ("ok", "plugged", "unplugged", "removed", "repaired", "restored", "valid"),
    "yellow": ("plugging", "unplugging", "would be removed", "unknown", "degraded"),
    "red": ("differs", "failed", "not valid"),
}


def aligned(columns: Sequence[str], rows: Rows) -> str:
    """Columns for a pipe, as wide as they need."""
    lines = [[column.upper() for column in columns], *rows]
    widths = _widths(lines)
    return "\n".join(
        (" " * _GAP).join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def draw(console: Console, columns: Sequence[str], rows: Rows) -> None:
    """A table on a terminal. Where that is too narrow, UUIDs are shortened, then lines are broken between words.

    Where a line cannot hold the longest words of all columns, each row becomes a block of lines.
    """
    if _total(_widths([columns, *rows])) > console.width:
        rows = _with_short_uuids(rows)
    words = _longest_words(columns, rows)
    if _total(words) > console.width:
        _draw_blocks(console, columns, rows)
    else:
        _draw_table(console, columns, rows, words)


def _draw_table(console: Console, columns: Sequence[str], rows: Rows, least_widths: Sequence[int]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for column, width in zip(columns, least_widths, strict=True):
        table.add_column(column, min_width=width)
    for row in rows:
        table.add_row(*(Text(cell, style=_cell_style(cell)) for cell in row))
    console.print(table)


def _draw_blocks(console: Console, columns: Sequence[str], rows: Rows) -> None:
    from rich.text import Text

    longest = max(map(len, columns)) + _GAP
    for number, row in enumerate(rows):
        if number:
            console.print()
        for column, cell in zip(columns, row, strict=True):
            console.print(Text.assemble((column.ljust(longest), "bold"), (cell, _cell_style(cell))), soft_wrap=True)


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _DRAWN_GAP * (len(widths) - 1)


def _with_short_uuids(rows: Rows) -> Rows:
    length = _telling_apart({cell for row in rows for cell in row if _UUID.fullmatch(cell)})
    return [[cell[:length] if _UUID.fullmatch(cell) else cell for cell in row] for row in rows]


def _telling_apart(uuids: set[str]) -> int:
    """How many characters it takes."""
    length = _SHORTEST_UUID
    while len({uuid[:length] for uuid in uuids}) < len(uuids):
        length += 1
    return length


def _widths(lines: Rows) -> list[int]:
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def _longest_words(columns: Sequence[str], rows: Rows) -> list[int]:
    return [
        max(len(word) for cell in column for word in (cell.split() or [""]))
        for column in zip(columns, *rows, strict=True)
    ]


def _cell_style(cell: str) -> str:
    return next((style for style, words in _CELL_STYLES.items() if cell in words), "")
