# SPDX-License-Identifier: Apache-2.0
"""Counting the lines of a plugin's own code as they are run, and ending the process at one of them.

Between two lines nothing that the plugin called is still under way, so that what is found afterwards is what the
dead process has left, and not what a program it started is still doing.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from os_vif.plugin import PluginBase


def home_of(plugin: PluginBase) -> str:
    """Where the plugin's own code is: its package, or its file where it is in none."""
    path = Path(inspect.getfile(type(plugin)))
    return str(path.parent if sys.modules[type(plugin).__module__].__package__ else path)


class Lines:
    """Counts lines run below ``home``; ``action`` is done before the one of that number, counted from 1."""

    def __init__(self, home: str, number: int = 0, action: Callable[[], None] | None = None) -> None:
        self.seen = 0
        self._home = home
        self._number = number
        self._action = action

    def run(self, act: Callable[[], object]) -> int:
        """Does something and counts; returns how many lines that took."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            act()
        finally:
            sys.settrace(before)
        return self.seen

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename.startswith(self._home) else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event in ("line", "return"):
            self.seen += 1
            if self.seen == self._number and self._action is not None:
                self._action()
        return self._line
