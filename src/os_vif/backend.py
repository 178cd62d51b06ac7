# SPDX-License-Identifier: Apache-2.0
"""What a package needs that brings a kind of resource of its own: `docs/plugins.md` walks through an example.

Its backend is loaded from the entry point group ``os_vif.backends`` and called with the host, and with the name of the
journal that tells of what is made (marks may name it). It has the methods of :class:`Backend`; those that it need not
have are told of there.
"""

from __future__ import annotations

from os_vif.host.access.host import HostAccess
from os_vif.host.contract.backend import Backend, Marked, Purpose
from os_vif.host.contract.degradation import Degradation, Guest
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Holding, Outcome, Step
from os_vif.host.state.resource import IfForeign, Resource, resource_type

__all__ = [
    "Backend",
    "Degradation",
    "Guest",
    "Holding",
    "HostAccess",
    "IfForeign",
    "Marked",
    "Operation",
    "OperationFailed",
    "Outcome",
    "Purpose",
    "Resource",
    "Step",
    "resource_type",
]
