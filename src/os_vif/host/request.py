# SPDX-License-Identifier: Apache-2.0
"""What the engine is asked for: a VIF's desired state, and the words in which it was asked."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from os_vif.host import state
from os_vif.host.state import HostState


@dataclass(frozen=True)
class Request:
    """One VIF. ``original`` is the VIF and the instance as received, kept verbatim in the journal (JSON values)."""

    vif_id: str
    plugin: str
    desired: HostState
    context: str
    original: Mapping[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def original_text(self) -> str:
        """``original``, as the journal keeps it."""
        return json.dumps(self.original, sort_keys=True)

    @functools.cached_property
    def desired_text(self) -> str:
        """``desired``, as the journal keeps it."""
        return json.dumps([state.to_primitive(resource) for resource in self.desired])
