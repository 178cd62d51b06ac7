# SPDX-License-Identifier: Apache-2.0
"""The two parties, as data: offers of hypervisors, and what networks could provide."""

from __future__ import annotations

from typing import Any

from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.negotiation.offer import Candidate, Constraints, Offer
from os_vif.negotiation.provision import Provision
from os_vif.objects import vif as vifs
from os_vif.objects.host_info import HostPortProfileInfo, HostVIFInfo
from os_vif.objects.network import Network

PORT = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
OVS_PROFILE = vifs.VIFPortProfileOpenVSwitch


def candidate(
    name: str, *profiles: HostPortProfileInfo, versions: tuple[str, str] = ("1.0", "1.9"), **limits: Any
) -> Candidate:
    """A candidate of a well-known type; ``limits`` are those of Constraints."""
    binding = BINDING_TYPES[name]
    info = HostVIFInfo(
        vif_object_name=binding.vif_class,
        min_version=versions[0],
        max_version=versions[1],
        supported_port_profiles=list(profiles),
    )
    return Candidate(name=name, vif=info, plugin=binding.plugin, constraints=Constraints(**limits))


def profile_range(lowest: str = "1.0", highest: str = "1.4", cls: Any = OVS_PROFILE) -> HostPortProfileInfo:
    return HostPortProfileInfo(profile_object_name=cls.obj_name(), min_version=lowest, max_version=highest)


def offer(*candidates: Candidate, **more: Any) -> Offer:
    return Offer(host="node1", hypervisor="libvirt 9.0", candidates=list(candidates), **more)


def provision(name: str, **more: Any) -> Provision:
    return Provision(name=name, vif=getattr(vifs, BINDING_TYPES[name].vif_class), **more)


def ovs(**more: Any) -> Provision:
    return provision("ovs", profile=OVS_PROFILE, device_by=("plugin", "hypervisor"), **more)


def ovs_vif() -> vifs.VIFOpenVSwitch:
    """As a network side with Open vSwitch makes it, with everything that later versions brought."""
    profile = OVS_PROFILE(
        interface_id=PORT,
        datapath_type="system",
        create_port=True,
        create_tap=True,
        datapath_offload=vifs.DatapathOffloadRepresentor(representor_name="eth5"),
    )
    network = Network(id=PORT, bridge="br-int", mtu=1450)
    return vifs.VIFOpenVSwitch(
        id=PORT, address="fa:16:3e:00:00:01", plugin="ovs", vif_name="tap0f1e2d3c-4b", bridge_name="br-int",
        network=network, port_profile=profile,
    )  # fmt: skip
