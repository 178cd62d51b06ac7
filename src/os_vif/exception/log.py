# SPDX-License-Identifier: Apache-2.0
"""Loggers of which every record is one line. Apart from plain.py, since Python's own logging takes time to load."""

from __future__ import annotations

import logging

from os_vif.exception.plain import plain


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
