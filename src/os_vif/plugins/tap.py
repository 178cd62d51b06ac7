# SPDX-License-Identifier: Apache-2.0
"""The tap plugin: a persistent tap device, for a hypervisor to open, in the Linux bridge of its network if it has one.

Without a bridge, who wires the tap further is somebody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from os_vif.objects.vif import (
    VIFGeneric,
    VIFPortProfileBase,
    VIFPortProfileFPTap,
    VIFPortProfileOpenVSwitch,
)
from os_vif.plugin import Plugin
from os_vif.plugins import describing, linux_bridge_options, reading

if TYPE_CHECKING:
    from os_vif.host.state import HostState, Resource, Tap
    from os_vif.objects.host_info import HostPluginInfo
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.vif import VIFBase

NAME = "tap"

_PROFILES = (VIFPortProfileBase, VIFPortProfileFPTap, VIFPortProfileOpenVSwitch)


class TapPlugin(Plugin):
    """Takes VIFGeneric: a tap called ``vif_name``, with the MTU of the network, in the Linux bridge ``network.bridge``.

    The bridge is made as the Linux bridge plugin makes it where the network asks for that, by the options of that
    plugin; else it must be there. A network without a bridge gets its taps alone.

    The VIF's own address is the guest's, and is not given to the tap: two devices on one wire would then share it.
    What the tap's end is to be called is in the port profile's ``mac_address`` (VIFPortProfileFPTap), if anywhere.
    """

    CONFIG_OPTS = (
        cfg.IntOpt("owner", min=0, help="The numeric user id that may open the taps without being root."),
        cfg.IntOpt("group", min=0, help="The numeric group id whose members may open the taps without being root."),
    )

    def __init__(self, config: Any, bridging_config: Any = None) -> None:
        """``bridging_config``: the options of the Linux bridge plugin; those of this process if not given."""
        super().__init__(config)
        self._bridging_config = bridging_config or linux_bridge_options.registered()

    def describe(self) -> HostPluginInfo:
        """VIFGeneric, with the port profiles that say something about a tap."""
        return describing.plugin_info(NAME, {VIFGeneric: _PROFILES})

    def desired_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """The bridge, if the network has one, and the tap. Raises InvalidRequest."""
        from os_vif.host.state import HostState

        reading.expect(vif, VIFGeneric, NAME)
        network = reading.stated(vif, "network")
        if bridge := reading.stated(network, "bridge", default=""):
            return HostState(tuple(self._in_bridge(vif, bridge)))
        return HostState((self._tap(vif, mtu=reading.stated(network, "mtu", default=0) or None),))

    def _in_bridge(self, vif: VIFBase, bridge: str) -> Iterator[Resource]:
        from os_vif.host.state import ExistingLink
        from os_vif.plugins import bridging

        network = reading.network_of(vif, NAME)
        joined = bridging.Bridging(self._bridging_config, vif, network, bridge)
        if bridging.is_wanted(network):
            yield from joined.resources()
        else:
            yield ExistingLink(name=bridge, up=None, shared=True)
        yield self._tap(vif, mtu=joined.mtu(), master=bridge)

    def _tap(self, vif: VIFBase, *, mtu: int | None, master: str | None = None) -> Tap:
        from os_vif.host.state import NO_HOST_IP, Tap

        profile = reading.stated(vif, "port_profile")
        return Tap(
            name=reading.required(vif, "vif_name", "because it names the tap"),
            mtu=mtu,
            mac=_lower(reading.stated(profile, "mac_address")),
            master=master,
            multi_queue=bool(reading.stated(profile, "multiqueue", default=False)),
            owner=self.config.owner,
            group=self.config.group,
            sysctls=NO_HOST_IP,
        )


def _lower(address: object) -> str | None:
    return None if address is None else str(address).lower()
