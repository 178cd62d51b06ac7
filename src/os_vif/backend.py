# SPDX-License-Identifier: Apache-2.0
"""What a package needs that brings a kind of resource of its own: `docs/plugins.md` walks through an example.

Its backend is loaded from the entry point group ``os_vif.backends`` and called with the host, and with the name of the
journal that tells of what is made (DeviceMarks writes it into marks). It has the methods of :class:`Backend`, and of
:class:`OptionalMethods` those that it likes.

For network devices there is ``netlink``, which talks to the kernel in the network namespace of the calling thread
(``netlink.conversation().ask()``); what every device has is set by steps of os-vif's own backend ``link``.
"""

from __future__ import annotations

from os_vif.host.access.host import HostAccess
from os_vif.host.access.performing import perform
from os_vif.host.access.privileged import may_change_network
from os_vif.host.contract.backend import Backend, Marked, OptionalMethods, Purpose
from os_vif.host.contract.degradation import Degradation, Guest
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Holding, Outcome, Step
from os_vif.host.journal.device_marks import DeviceMarks
from os_vif.host.kernel import netlink
from os_vif.host.kernel.netlink import KernelError
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state.links import Link
from os_vif.host.state.mark_form import DEVICE_GROUP
from os_vif.host.state.resource import IfForeign, Resource, resource_type

__all__ = [
    "DEVICE_GROUP",
    "Backend",
    "Degradation",
    "DeviceMarks",
    "Guest",
    "Holding",
    "HostAccess",
    "IfForeign",
    "KernelError",
    "Link",
    "LinkInfo",
    "Marked",
    "Operation",
    "OperationFailed",
    "OptionalMethods",
    "Outcome",
    "Purpose",
    "Resource",
    "Step",
    "may_change_network",
    "netlink",
    "perform",
    "resource_type",
]
