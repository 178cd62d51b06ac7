# SPDX-License-Identifier: Apache-2.0
"""The Linux bridge plugin: a bridge per network, joined to the outside by an interface or a VLAN device.

The guest's tap is not made here: libvirt makes it, and adds it to the bridge. All that this plugin states is shared
by the VIFs of a network, and goes with the last of them unless somebody else uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from os_vif.objects.vif import VIFBridge
from os_vif.plugin import Plugin
from os_vif.plugins import describing, reading
from os_vif.plugins.linux_bridge_options import OPTIONS

if TYPE_CHECKING:
    from os_vif.host.state import HostState
    from os_vif.objects.host_info import HostPluginInfo
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.network import Network
    from os_vif.objects.vif import VIFBase

NAME = "linux_bridge"


class LinuxBridgePlugin(Plugin):
    """Takes VIFBridge. Does nothing for networks that are multi_host, or that do not ask for a bridge."""

    CONFIG_OPTS = OPTIONS
    PRIVILEGED_CONTEXT: ClassVar[str] = "vif_plug_linux_bridge.privsep"

    def describe(self) -> HostPluginInfo:
        """VIFBridge, without port profiles."""
        return describing.plugin_info(NAME, {VIFBridge: ()})

    def desired_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """The bridge, what joins it to the outside, and its forwarding rules. Raises InvalidRequest."""
        from os_vif.host.state import HostState
        from os_vif.plugins import bridging

        reading.expect(vif, VIFBridge, NAME)
        network = reading.network_of(vif, NAME)
        if not bridging.is_wanted(network):
            return HostState()
        bridge = _bridge_name(vif, network)
        return HostState(tuple(bridging.Bridging(self.config, vif, network, bridge).resources()))

    def guest_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """The guest's device in the bridge."""
        from os_vif.host.state import HostState
        from os_vif.plugins import bridging

        return HostState(tuple(bridging.of_guest(vif, _bridge_name(vif, reading.network_of(vif, NAME)))))


def _bridge_name(vif: VIFBase, network: Network) -> str:
    """The VIF's word goes before the network's, as it does in os-vif 4.3.0."""
    return reading.stated(vif, "bridge_name", default="") or str(
        reading.stated(network, "bridge", default="") or reading.required(vif, "bridge_name", "or else network.bridge")
    )
