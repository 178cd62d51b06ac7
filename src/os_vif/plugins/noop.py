# SPDX-License-Identifier: Apache-2.0
"""The plugin that does nothing: for VIFs that the hypervisor wires by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from os_vif.objects.vif import VIFHostDevice, VIFVHostUser
from os_vif.plugin import Plugin
from os_vif.plugins import describing

if TYPE_CHECKING:
    from os_vif.host.state import HostState
    from os_vif.objects.host_info import HostPluginInfo
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.vif import VIFBase

NAME = "noop"


class NoOpPlugin(Plugin):
    """Takes any VIF, and leaves the host alone.

    It tells of the classes that Nova gives to it: VIFVHostUser, and VIFHostDevice where a card's own operating system
    does the wiring (vnic type remote-managed).
    """

    def describe(self) -> HostPluginInfo:
        """VIFVHostUser and VIFHostDevice, without port profiles."""
        return describing.plugin_info(NAME, {VIFVHostUser: (), VIFHostDevice: ()})

    def desired_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """Nothing."""
        from os_vif.host.state import HostState

        return HostState()
