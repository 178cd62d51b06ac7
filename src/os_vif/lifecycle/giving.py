# SPDX-License-Identifier: Apache-2.0
"""Giving a guest an interface again that it has lost."""

from __future__ import annotations

import os_vif
from os_vif.hypervisors.driver import HypervisorDriver
from os_vif.lifecycle.spec import AttachmentSpec
from os_vif.objects.reading import stated
from os_vif.objects.vif import VIFBase


def give_again(vif: VIFBase, spec: AttachmentSpec, hypervisor: HypervisorDriver) -> None:
    """Plugs what is missing, and has the hypervisor put right its side where the guest runs.

    Raises PlugException, HypervisorError.
    """
    if spec.hot and _is_port_stale(vif, spec, hypervisor):
        os_vif.unplug(vif, spec.instance)
    os_vif.plug(vif, spec.instance)
    if spec.hot:
        hypervisor.attach(vif, spec.guest)


def _is_port_stale(vif: VIFBase, spec: AttachmentSpec, hypervisor: HypervisorDriver) -> bool:
    """Open vSwitch in userspace keeps a device open that is no more, whatever gets its name."""
    made_by_hypervisor = stated(vif, "port_profile", "create_port") and not stated(vif, "port_profile", "create_tap")
    found = hypervisor.check(vif, spec.guest) if made_by_hypervisor else ()
    return any(one.code == "guest-device-gone" for one in found or ())
