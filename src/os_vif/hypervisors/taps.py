# SPDX-License-Identifier: Apache-2.0
"""Taps that a virtual machine monitor opens by their names: whether the VIF's is one, and fits the guest. Pure."""

from __future__ import annotations

from os_vif.hypervisors.driver import Guest
from os_vif.hypervisors.reading import Reader
from os_vif.objects.reading import stated
from os_vif.objects.vif import VIFGeneric, VIFOpenVSwitch


def name_of(reader: Reader, guest: Guest) -> str:
    """The tap's name. Raises CannotRender for a VIF whose tap nobody makes, or not with as many queues."""
    vif = reader.vif
    if isinstance(vif, VIFOpenVSwitch) and not stated(vif, "port_profile", "create_tap"):
        reader.refuse(f"{reader.hypervisor} opens a tap that is there, and nobody makes it (create_tap).")
    if not isinstance(vif, VIFGeneric | VIFOpenVSwitch):
        reader.refuse(f"{reader.hypervisor} knows no such interfaces.")
    _check_queues(reader, guest)
    return reader.required("vif_name", "because it names the tap")


def _check_queues(reader: Reader, guest: Guest) -> None:
    """The kernel lets a tap be opened with as many queues as it was made for only: one, or several."""
    several = bool(stated(reader.vif, "port_profile", "multiqueue"))
    if guest.queues > 1 and not several:
        reader.refuse(f"{guest.queues} queues are wanted, and its tap has one (multiqueue of the port profile).")
    if guest.queues == 1 and several:
        reader.refuse("one queue is wanted, and its tap has several (multiqueue of the port profile).")
