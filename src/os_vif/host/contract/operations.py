# SPDX-License-Identifier: Apache-2.0
"""The things that a plan may do to a host, as data: they are written to the journal, shown to people, sent to the
privileged helper, and undone.

An operation is a name from a closed list and its arguments, JSON-able values. What each does is in kernel.py for
the real host, and in os_vif.testing for the fake one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Operation:
    """One change to the host."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def to_primitive(self) -> list[Any]:
        """The JSON form."""
        return [self.name, self.arguments]

    @classmethod
    def from_primitive(cls, data: list[Any]) -> Operation:
        """The operation that to_primitive() wrote."""
        return cls(data[0], data[1])


class OperationFailed(Exception):
    """An operation of a batch was refused.

    ``done`` operations, from the first on, are done. ``culprit`` is the index of the one that was refused: that after
    them where operations are done one by one; any one where they are done all together or not at all. ``errno`` is
    the kernel's number, or 0; ``words`` are its own. Not ``certain``: how many are done is not known.
    """

    def __init__(self, done: int, errno: int, words: str, culprit: int | None = None, *, certain: bool = True) -> None:
        super().__init__(done, errno, words, culprit)
        self.done = done
        self.errno = errno
        self.words = words
        self.culprit = done if culprit is None else culprit
        self.certain = certain
