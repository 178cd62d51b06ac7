# SPDX-License-Identifier: Apache-2.0
"""A tap for the guest, on a bridge that leads to the other hosts through a VXLAN device."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg, types

from os_vif import exception, objects
from os_vif.host.state import NO_HOST_IP, Bridge, HostState, Tap
from os_vif.plugin import Plugin
from vif_plug_vxlan.resource import Vxlan

#: Bytes that VXLAN takes of a packet over IPv4.
_OVERHEAD = 50


class VxlanPlugin(Plugin):
    """Takes VIFGeneric: ``vif_name`` is the tap, ``network.vlan`` the number of the network (VNI)."""

    CONFIG_OPTS = (
        cfg.IPOpt("local", version=4, help="The address of this host that the others reach it by."),
        cfg.ListOpt("peers", item_type=types.IPAddress(4), default=[], help="The addresses of the other hosts."),
        cfg.IntOpt("underlay_mtu", default=1500, help="The MTU of the network between the hosts."),
    )

    def describe(self) -> objects.host_info.HostPluginInfo:
        """VIFGeneric, in the one version that there is."""
        vif = objects.host_info.HostVIFInfo(
            vif_object_name="VIFGeneric", min_version="1.0", max_version="1.0", supported_port_profiles=[]
        )
        return objects.host_info.HostPluginInfo(plugin_name="vxlan", vif_info=[vif])

    def desired_state(self, vif: Any, instance_info: Any) -> HostState:
        """The bridge, the device that leads out of it, and the tap. Raises InvalidRequest."""
        network = _required(vif, "network")
        vni, bridge = _required(network, "vlan"), f"vxbr{_required(network, 'vlan')}"
        mtu = self.config.underlay_mtu - _OVERHEAD
        return HostState(
            (
                Bridge(name=bridge, shared=True, sysctls=NO_HOST_IP, stp=False, mcast_snooping=False),
                Vxlan(
                    name=f"vx{vni}",
                    vni=vni,
                    local=_required(self.config, "local"),
                    peers=tuple(sorted(self.config.peers)),
                    master=bridge,
                    mtu=mtu,
                    shared=True,
                    sysctls=NO_HOST_IP,
                ),
                Tap(name=_required(vif, "vif_name"), master=bridge, mtu=mtu, sysctls=NO_HOST_IP),
            )
        )


def _required(thing: Any, field: str) -> Any:
    value = getattr(thing, field, None)
    if not value:
        raise exception.InvalidRequest(field=field, reason="it is needed to plug the VIF and is not set")
    return value
