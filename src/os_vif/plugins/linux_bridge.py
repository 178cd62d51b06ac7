# SPDX-License-Identifier: Apache-2.0
"""The Linux bridge plugin: a bridge per network, joined to the outside by an interface or a VLAN device.

The guest's tap is not made here: libvirt makes it, and adds it to the bridge. All that this plugin states is shared
by the VIFs of a network, and goes with the last of them unless somebody else uses it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from os_vif.host.state import (
    NO_HOST_IP,
    AddressesMoved,
    Bridge,
    ExistingLink,
    HostState,
    IfForeign,
    Resource,
    Vlan,
)
from os_vif.objects.vif import VIFBridge
from os_vif.plugin import Plugin
from os_vif.plugins import describing, forwarding, names, reading
from os_vif.plugins.linux_bridge_options import OPTIONS

if TYPE_CHECKING:
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
        reading.expect(vif, VIFBridge, NAME)
        network = reading.network_of(vif, NAME)
        if reading.stated(network, "multi_host", False) or not reading.stated(network, "should_provide_bridge", False):
            return HostState()
        return HostState((*self._devices(vif, network), *self._rules(vif, network)))

    def _devices(self, vif: VIFBase, network: Network) -> Iterator[Resource]:
        bridge = _bridge_name(vif, network)
        yield Bridge(
            name=bridge,
            shared=True,
            mtu=self._bridge_mtu(network),
            sysctls=NO_HOST_IP,
            if_foreign=IfForeign.SHARE,
        )
        if reading.stated(network, "should_provide_vlan", False):
            yield from self._vlan(vif, network, bridge)
        elif interface := self._flat_interface(network):
            self._check_joinable(vif, interface, bridge, "flat_interface")
            yield ExistingLink(name=interface, master=bridge, mtu=self._mtu(network), shared=True)
            yield AddressesMoved(source=interface, target=bridge, shared=True)

    def _vlan(self, vif: VIFBase, network: Network, bridge: str) -> Iterator[Resource]:
        vlan_id = reading.required(vif, "network.vlan", "because the network asks for a VLAN")
        parent = self.config.vlan_interface or reading.required(
            vif, "network.bridge_interface", "or else the option vlan_interface, because the network asks for a VLAN"
        )
        self._check_joinable(vif, parent, bridge, "vlan_interface")
        device = names.vlan(vlan_id)
        yield ExistingLink(name=parent, shared=True)
        yield Vlan(
            name=device,
            parent=parent,
            vlan_id=vlan_id,
            master=bridge,
            mtu=self._mtu(network),
            shared=True,
            sysctls=NO_HOST_IP,
            if_foreign=IfForeign.SHARE,
        )
        yield AddressesMoved(source=device, target=bridge, shared=True)

    def _rules(self, vif: VIFBase, network: Network) -> Iterator[Resource]:
        if reading.stated(vif, "has_traffic_filtering", False):
            return
        bridge = _bridge_name(vif, network)
        lines = forwarding.rules(bridge, self.config.forward_bridge_interface, self.config.iptables_drop_action)
        families = ("ipv4", "ipv6") if self.config.use_ipv6 else ("ipv4",)
        yield from forwarding.chains(bridge, lines, families, self._above_ours(vif))

    def _flat_interface(self, network: Network) -> str:
        interface: str = self.config.flat_interface or reading.stated(network, "bridge_interface", "")
        return interface

    def _check_joinable(self, vif: VIFBase, interface: str, bridge: str, option: str) -> None:
        if interface == bridge:
            field = f"[os_vif_linux_bridge] {option}" if getattr(self.config, option) else "network.bridge_interface"
            reading.refuse(vif, field, f"{interface} cannot be a port of the bridge {bridge}.")

    def _mtu(self, network: Network) -> int:
        return int(reading.stated(network, "mtu", 0) or self.config.network_device_mtu)

    def _bridge_mtu(self, network: Network) -> int | None:
        """A bridge that nothing joins to the outside has the MTU of its ports, unless the network states one."""
        joined = reading.stated(network, "should_provide_vlan", False) or self._flat_interface(network)
        return self._mtu(network) if joined else reading.stated(network, "mtu", 0) or None

    def _above_ours(self, vif: VIFBase) -> str:
        pattern: str = self.config.iptables_top_regex
        try:
            re.compile(pattern)
        except re.error as error:
            reading.refuse(vif, "[os_vif_linux_bridge] iptables_top_regex", f"{pattern!r} is no pattern: {error}.")
        return pattern


def _bridge_name(vif: VIFBase, network: Network) -> str:
    """The VIF's word goes before the network's, as it does in os-vif 4.3.0."""
    return reading.stated(vif, "bridge_name", "") or str(
        reading.stated(network, "bridge", "") or reading.required(vif, "bridge_name", "or else network.bridge")
    )
