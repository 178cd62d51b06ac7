# SPDX-License-Identifier: Apache-2.0
"""A change to a fake host, for tests to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """One change. ``by`` is "os-vif", or "somebody" for changes behind its back."""

    operation: str
    device: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    by: str = "os-vif"

    def __str__(self) -> str:
        return f"{self.operation} {self.device}"
