# SPDX-License-Identifier: Apache-2.0
"""Text of others on a terminal and in a log: names, rows of a switch and files hold what anybody has written."""

from __future__ import annotations

import logging


def plain(text: str) -> str:
    """The text on one line, with all escaped that a terminal would obey or nobody can see.

    That is controls, line breaks included, marks of direction, and characters without width.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def logger(name: str) -> logging.Logger:
    """The logger of that name; each of its records is one line, whatever others have written into its arguments."""
    made = logging.getLogger(name)
    if not any(isinstance(known, _OneLine) for known in made.filters):
        made.addFilter(_OneLine())
    return made


class _OneLine(logging.Filter):
    """Takes nothing out. Arguments are not made text before somebody wants the record."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if not text.isprintable():
            record.msg, record.args = plain(text), ()
        return True
