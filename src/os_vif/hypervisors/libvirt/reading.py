# SPDX-License-Identifier: Apache-2.0
"""Reading a VIF for libvirt: what must be there, and refusals in its name with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from os_vif.hypervisors.reading import Reader
from os_vif.objects.reading import stated

if TYPE_CHECKING:
    from os_vif.hypervisors.libvirt.versions import Capabilities, Feature
    from os_vif.objects.vif import VIFBase

HYPERVISOR = "libvirt"


def required(vif: VIFBase, field: str, why: str) -> Any:
    """The value of a field of the VIF, dotted when nested ("network.bridge"). Raises CannotRender."""
    value = stated(vif, *field.split("."))
    if value in (None, ""):
        refuse(vif, f"{field} must be set, {why}.")
    return value


def need(can: Capabilities, feature: Feature, vif: VIFBase) -> None:
    """Raises CannotRender where this libvirt is too old."""
    if not can.has(feature):
        refuse(vif, can.lack(feature))


def refuse(vif: VIFBase, reason: str) -> NoReturn:
    """Raises CannotRender."""
    Reader(HYPERVISOR, vif).refuse(reason)
