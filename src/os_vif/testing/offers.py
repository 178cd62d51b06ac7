# SPDX-License-Identifier: Apache-2.0
"""Offers of hypervisors that do not exist, in one line each: offers.offer("ovs", "bridge", host="a")."""

from __future__ import annotations

from typing import Any

from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.negotiation.offer import BY_HYPERVISOR, BY_PLUGIN, Candidate, Constraints, Offer
from os_vif.objects import vif as vifs
from os_vif.objects.host_info import HostPortProfileInfo, HostVIFInfo

_PROFILES = dict.fromkeys(("ovs", "tap"), (vifs.VIFPortProfileOpenVSwitch,))


def offer(*types: str, host: str = "host-a", lease: int = 600, **constraints: Any) -> Offer:
    """An offer of binding types, best first, in all versions that there are.

    ``constraints`` hold for every candidate, see os_vif.negotiation.offer.Constraints; by default the memory is shared
    and whoever likes may make the device.
    """
    candidates = [candidate(name, **constraints) for name in types]
    return Offer(host=host, hypervisor="testing 1.0", boot_id="one", lease=lease, candidates=candidates)


def candidate(name: str, **constraints: Any) -> Candidate:
    """One binding type by its name."""
    binding = BINDING_TYPES[name]
    versions = getattr(vifs, binding.vif_class).obj_versions()
    taken = HostVIFInfo(
        vif_object_name=binding.vif_class,
        min_version=versions[0],
        max_version=versions[-1],
        supported_port_profiles=[_profile(profile) for profile in _PROFILES.get(binding.plugin, ())],
    )
    limits = {"shared_memory": True, "device_by": [BY_PLUGIN, BY_HYPERVISOR], **constraints}
    return Candidate(name=name, vif=taken, plugin=binding.plugin, constraints=Constraints(**limits))


def _profile(profile: type[vifs.VIFPortProfileBase]) -> HostPortProfileInfo:
    versions = profile.obj_versions()
    return HostPortProfileInfo(
        profile_object_name=profile.obj_name(), min_version=versions[0], max_version=versions[-1]
    )
