# SPDX-License-Identifier: Apache-2.0
"""What Neutron binds, as the network side provides it: what holds for each VIF, and what a choice settles. Pure."""

from __future__ import annotations

from typing import Any

from os_vif.negotiation.binding_types import name_of
from os_vif.negotiation.offer import BY_HYPERVISOR, BY_PLUGIN
from os_vif.negotiation.provision import Provision
from os_vif.objects import vif as classes

#: Who may make the device on the host: to Neutron it is all one. For types that are not here, nobody needs to.
DEVICE_BY = {
    "ovs": (BY_PLUGIN, BY_HYPERVISOR),
    "ovs-hybrid": (BY_HYPERVISOR,),
    "bridge": (BY_HYPERVISOR,),
    "tap": (BY_PLUGIN,),
    "macvtap": (BY_PLUGIN,),
}

#: Nobody tells the VIFs of such bindings how many queues the tap is to have.
_MAX_QUEUES = {"tap": 1}


def provision_of(vif: classes.VIFBase) -> Provision:
    """That of a VIF which was made of a binding."""
    name = name_of(vif.obj_name(), vif.plugin)
    return Provision(
        name=name,
        vif=type(vif),
        profile=type(vif.port_profile) if "port_profile" in vif else None,
        device_by=DEVICE_BY.get(name, ()),
        needs_shared_memory=isinstance(vif, classes.VIFVHostUser),
        mtu=vif.network.mtu if vif.network else None,
        max_queues=_MAX_QUEUES.get(name),
    )


def settle_maker(vif: classes.VIFOpenVSwitch, device_by: str) -> None:
    """Writes into the VIF whether the plugin makes the tap; the port it makes anyway."""
    profile: Any = vif.port_profile
    profile.create_port, profile.create_tap = True, device_by == BY_PLUGIN


def settle_queues(vif: classes.VIFBase, queues: int) -> None:
    """Writes into the VIF that the tap is to have several queues, where the plugin makes it."""
    profile: Any = getattr(vif, "port_profile", None) if isinstance(vif, classes.VIFOpenVSwitch) else None
    if getattr(profile, "create_tap", False):
        profile.multiqueue = queues > 1
