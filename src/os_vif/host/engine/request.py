# SPDX-License-Identifier: Apache-2.0
"""What the engine is asked for: a VIF's desired state, and the words in which it was asked."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.host import state
from os_vif.host.state import Devices, HostState, Link, Resource

if TYPE_CHECKING:
    from os_vif.host.access.host import HostAccess

#: One encoder for all: json.dumps() makes a new one for each text where it is told anything.
_encode = json.JSONEncoder(sort_keys=True, default=str).encode


@dataclass(frozen=True)
class Request:
    """One VIF. ``original`` is the VIF and the instance as received, kept verbatim in the journal (JSON values).

    ``leftover`` is what earlier releases may have left of the VIF, and what goes with it whatever its record says.
    """

    vif_id: str
    plugin: str
    desired: HostState
    context: str
    original: Mapping[str, Any] = field(default_factory=dict)
    leftover: tuple[Resource, ...] = ()

    def resolved(self, devices: Devices) -> Request:
        """The request with all devices by their names. Raises DeviceMissing."""
        try:
            resources = tuple(resource.resolved(devices) for resource in self.desired)
        except LookupError as error:
            raise exception.DeviceMissing(f"VIF {self.vif_id}: {error}.", vif_id=self.vif_id) from error
        return self if resources == self.desired.resources else replace(self, desired=HostState(resources))

    def still_there(self, host: HostAccess) -> Request:
        """The same for unplugging: without the resources whose devices are not to be found any more."""
        found = []
        for resource in self.desired:
            with contextlib.suppress(LookupError):
                found.append(resource.resolved(host))
        is_left = any(isinstance(resource, Link) and host.get_link(resource.name) for resource in self.leftover)
        return replace(self, desired=HostState(tuple(found)), leftover=self.leftover if is_left else ())

    @functools.cached_property
    def original_text(self) -> str:
        """``original``, as the journal keeps it."""
        return _encode(self.original)

    @functools.cached_property
    def desired_text(self) -> str:
        """``desired``, as the journal keeps it."""
        return _encode([state.to_primitive(resource) for resource in self.desired])
