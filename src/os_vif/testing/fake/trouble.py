# SPDX-License-Identifier: Apache-2.0
"""Trouble to come: operations that a fake host shall refuse."""

from __future__ import annotations

import os
from dataclasses import dataclass

from os_vif.host.contract.operations import Operation
from os_vif.host.kernel.netlink import KernelError


@dataclass
class Trouble:
    """Refuses operations ``times`` times: those of a name, of a device, or the one with a number."""

    which: str | int
    error: int
    device: str = ""
    words: str = ""
    times: int = 1

    def concerns(self, number: int, operation: Operation) -> bool:
        """Whether this operation is meant."""
        if not self.times:
            return False
        if isinstance(self.which, int):
            return self.which == number
        return self.which == operation.name and self.device in ("", device_of(operation))

    def strike(self) -> None:
        """Raises KernelError."""
        self.times -= 1
        raise KernelError(self.error, self.words or os.strerror(self.error))


def device_of(operation: Operation) -> str:
    """What an operation is done to: the name of a device or of a chain."""
    return str(operation.arguments.get("name") or operation.arguments.get("chain") or "")
