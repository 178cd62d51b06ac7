# SPDX-License-Identifier: Apache-2.0
"""The tap plugin: a persistent tap device, for a hypervisor to open; who wires it further is somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oslo_config import cfg

from os_vif.host.state import NO_HOST_IP, HostState, Tap
from os_vif.objects.vif import (
    VIFGeneric,
    VIFPortProfileBase,
    VIFPortProfileFPTap,
    VIFPortProfileOpenVSwitch,
)
from os_vif.plugin import Plugin
from os_vif.plugins import describing, reading

if TYPE_CHECKING:
    from os_vif.objects.host_info import HostPluginInfo
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.vif import VIFBase

NAME = "tap"

_PROFILES = (VIFPortProfileBase, VIFPortProfileFPTap, VIFPortProfileOpenVSwitch)


class TapPlugin(Plugin):
    """Takes VIFGeneric: a tap called ``vif_name``, with the MTU of the network.

    The VIF's own address is the guest's, and is not given to the tap: two devices on one wire would then share it.
    What the tap's end is to be called is in the port profile's ``mac_address`` (VIFPortProfileFPTap), if anywhere.
    """

    CONFIG_OPTS = (
        cfg.IntOpt("owner", min=0, help="The numeric user id that may open the taps without being root."),
        cfg.IntOpt("group", min=0, help="The numeric group id whose members may open the taps without being root."),
    )

    def describe(self) -> HostPluginInfo:
        """VIFGeneric, with the port profiles that say something about a tap."""
        return describing.plugin_info(NAME, {VIFGeneric: _PROFILES})

    def desired_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """One tap. Raises InvalidRequest."""
        reading.expect(vif, VIFGeneric, NAME)
        profile = reading.stated(vif, "port_profile")
        tap = Tap(
            name=reading.required(vif, "vif_name", "because it names the tap"),
            mtu=reading.stated(reading.stated(vif, "network"), "mtu", 0) or None,
            mac=_lower(reading.stated(profile, "mac_address")),
            multi_queue=bool(reading.stated(profile, "multiqueue", False)),
            owner=self.config.owner,
            group=self.config.group,
            sysctls=NO_HOST_IP,
        )
        return HostState((tap,))


def _lower(address: object) -> str | None:
    return None if address is None else str(address).lower()
