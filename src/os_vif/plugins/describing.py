# SPDX-License-Identifier: Apache-2.0
"""What a plugin says that it takes, with the versions that the object model really has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from os_vif.objects.host_info import HostPluginInfo, HostPortProfileInfo, HostVIFInfo
from os_vif.objects.vif import VIFBase, VIFPortProfileBase

Profiles = Sequence[type[VIFPortProfileBase]]


def plugin_info(name: str, taken: Mapping[type[VIFBase], Profiles]) -> HostPluginInfo:
    """The description of the plugin ``name``: classes of VIFs, each with the classes of port profiles it may have."""
    return HostPluginInfo(plugin_name=name, vif_info=[_vif_info(vif, profiles) for vif, profiles in taken.items()])


def _vif_info(vif: type[VIFBase], profiles: Profiles) -> HostVIFInfo:
    versions = vif.obj_versions()
    return HostVIFInfo(
        vif_object_name=vif.obj_name(),
        min_version=versions[0],
        max_version=versions[-1],
        supported_port_profiles=[_profile_info(profile) for profile in profiles],
    )


def _profile_info(profile: type[VIFPortProfileBase]) -> HostPortProfileInfo:
    versions = profile.obj_versions()
    return HostPortProfileInfo(
        profile_object_name=profile.obj_name(), min_version=versions[0], max_version=versions[-1]
    )
