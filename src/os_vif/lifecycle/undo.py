# SPDX-License-Identifier: Apache-2.0
"""Taking back what was done, last first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from os_vif import exception
from os_vif.exception.log import logger

LOG = logger(__name__)


class Undo:
    """What to do when a later step fails."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], None]]] = []

    def push(self, text: str, function: Callable[[], None]) -> None:
        """``text`` says what the function does, for messages: "unplug it"."""
        self._steps.append((text, function))

    def run(self) -> list[str]:
        """Does all of it, last first, whatever fails; returns what went wrong."""
        problems = []
        for text, function in reversed(self._steps):
            try:
                function()
            except Exception as error:
                LOG.debug("Could not %s", text, exc_info=True)
                problems.append(f"could not {text}: {words(error)}")
        return problems


def sentence(problems: Sequence[str]) -> str:
    """Several in one."""
    return "; ".join(problem.rstrip(".") for problem in problems) + "."


def words(error: Exception) -> str:
    """What an error says, as a sentence; of one that only wraps another, what that one says."""
    wraps = isinstance(error, exception.PlugException | exception.UnplugException)
    text = str((error.__cause__ if wraps else None) or error)
    return text if text.endswith((".", "!", "?")) else f"{text}."
