# SPDX-License-Identifier: Apache-2.0
"""The Open vSwitch plugin: what it takes, and its options. What it makes of a VIF is in ovs_wiring.py."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from os_vif.exception.log import logger
from os_vif.objects.vif import (
    VIFBridge,
    VIFHostDevice,
    VIFOpenVSwitch,
    VIFPortProfileOpenVSwitch,
    VIFPortProfileOVSRepresentor,
    VIFVHostUser,
)
from os_vif.plugin import Plugin
from os_vif.plugins import describing, names, reading
from os_vif.plugins.ovs_options import NAME, OPTIONS

if TYPE_CHECKING:
    from os_vif.host.state import HostState, Resource
    from os_vif.objects.host_info import HostPluginInfo
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.vif import VIFBase

LOG = logger(__name__)


class OvsPlugin(Plugin):
    """Takes VIFBridge, VIFOpenVSwitch, VIFVHostUser and VIFHostDevice."""

    CONFIG_OPTS = OPTIONS
    PRIVILEGED_CONTEXT: ClassVar[str] = "vif_plug_ovs.privsep"

    def describe(self) -> HostPluginInfo:
        """The classes of VIFs, each with the port profiles it may have."""
        plain = (VIFPortProfileOpenVSwitch,)
        offloaded = (VIFPortProfileOpenVSwitch, VIFPortProfileOVSRepresentor)
        taken = {VIFBridge: plain, VIFOpenVSwitch: plain, VIFVHostUser: offloaded, VIFHostDevice: offloaded}
        return describing.plugin_info(NAME, taken)

    def desired_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """The bridges, ports and devices of a VIF. Raises InvalidRequest."""
        from os_vif.host.state import HostState

        return HostState(tuple(self._wired(vif, instance_info)))

    def leftover_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """For a native VIF what it would have had as a hybrid one, which it may have been before."""
        from os_vif.host.state import HostState
        from os_vif.plugins.ovs_wiring import Wiring

        if not isinstance(vif, VIFOpenVSwitch):
            return HostState()
        hybrid = Wiring(self.config, vif, instance_info).hybrid(names.hybrid_bridge(vif.id))
        return HostState(tuple(resource for resource in hybrid if not resource.shared))

    def guest_state(self, vif: VIFBase, instance_info: InstanceInfo) -> HostState:
        """The guest's device: of a hybrid VIF in its Linux bridge, of a native one with the port that it has got."""
        from os_vif.host.state import HostState
        from os_vif.plugins import bridging
        from os_vif.plugins.ovs_wiring import Wiring

        if isinstance(vif, VIFBridge) and reading.stated(vif, "bridge_name", default=""):
            return HostState(tuple(bridging.of_guest(vif, vif.bridge_name)))
        if isinstance(vif, VIFOpenVSwitch) and reading.stated(vif, "vif_name", default=""):
            return HostState(tuple(Wiring(self.config, vif, instance_info).of_guest()))
        return HostState()

    def whereabouts(self) -> tuple[Resource, ...]:
        """Where to look for ports that no record tells of: the database that is configured, expected if by somebody."""
        from os_vif.host.state.ovs import OvsDatabase
        from os_vif.plugins.ovs_wiring import database

        by_default = next(option.default for option in OPTIONS if option.name == "ovsdb_connection")
        expected = self.config.ovsdb_connection != by_default
        return (OvsDatabase(expected=expected, **database(self.config)),)

    def _wired(self, vif: VIFBase, instance_info: InstanceInfo) -> Iterator[Resource]:
        from os_vif.plugins.ovs_wiring import Wiring

        if self.config.ovsdb_interface == "vsctl":
            _warn_of_vsctl()
        wirings = {
            VIFBridge: Wiring.hybrid,
            VIFOpenVSwitch: Wiring.native,
            VIFVHostUser: Wiring.vhost_user,
            VIFHostDevice: Wiring.virtual_function,
        }
        for taken, wire in wirings.items():
            if isinstance(vif, taken):
                return wire(Wiring(self.config, vif, instance_info))
        return reading.refuse(vif, "vif", f"the plugin {NAME} does not take {type(vif).__name__}.")


@functools.cache
def _warn_of_vsctl() -> None:
    LOG.warning(
        "[os_vif_ovs] ovsdb_interface = vsctl is deprecated and will be refused one day: ovs-vsctl is not used any"
        " more, os-vif talks to the database itself. Remove the option."
    )
