# SPDX-License-Identifier: Apache-2.0
"""Text of others on a terminal and in a log: names, rows of a switch and files hold what anybody has written."""

from __future__ import annotations


def plain(text: str) -> str:
    """The text on one line, with all escaped that a terminal would obey or nobody can see.

    That is controls, line breaks included, marks of direction, and characters without width.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
