# SPDX-License-Identifier: Apache-2.0
"""A tap for the guest, on a bridge that the guests of a network share and that leads nowhere else."""

from __future__ import annotations

from typing import Any

from os_vif import exception, objects
from os_vif.host.state import NO_HOST_IP, Bridge, HostState, Tap
from os_vif.plugin import Plugin


class IsolatedPlugin(Plugin):
    """Takes VIFGeneric: ``vif_name`` is the tap, ``network.id`` tells which guests are together."""

    def describe(self) -> objects.host_info.HostPluginInfo:
        """VIFGeneric, in the one version that there is."""
        vif = objects.host_info.HostVIFInfo(
            vif_object_name="VIFGeneric", min_version="1.0", max_version="1.0", supported_port_profiles=[]
        )
        return objects.host_info.HostPluginInfo(plugin_name="isolated", vif_info=[vif])

    def desired_state(self, vif: Any, instance_info: Any) -> HostState:
        """The bridge and the tap, in this order. Raises InvalidRequest."""
        name, network = (_required(vif, field) for field in ("vif_name", "network"))
        bridge = f"iso{_required(network, 'id')}"[:14]
        mtu = getattr(network, "mtu", None)
        return HostState(
            (
                Bridge(name=bridge, shared=True, sysctls=NO_HOST_IP, stp=False, mcast_snooping=False),
                Tap(name=name, master=bridge, mtu=mtu, sysctls=NO_HOST_IP),
            )
        )


def _required(thing: Any, field: str) -> Any:
    value = getattr(thing, field, None)
    if not value:
        raise exception.InvalidRequest(field=field, reason="it is needed to plug the VIF and is not set")
    return value
