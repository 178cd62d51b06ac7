# SPDX-License-Identifier: Apache-2.0
"""What a plugin says of itself is what the two sides of a negotiation go by."""

from __future__ import annotations

import os_vif
from os_vif.objects.host_info import HostVIFInfo
from os_vif.testing.conformance.kit import Kit


class Description(Kit):
    """describe()."""

    def test_the_vif_is_described(self) -> None:
        """The class of the VIF is in host_info(), in versions that this library has."""
        vif, _ = self.make_vif(1)
        described = self._described()
        version = described.get_common_version()
        assert _number(described.min_version) <= _number(version) <= _number(described.max_version)
        assert vif.obj_to_primitive(target_version=version)

    def test_the_port_profile_is_described(self) -> None:
        """Where port profiles are described at all, that of the VIF is among them, in versions that there are."""
        vif, _ = self.make_vif(1)
        described = self._described()
        if "supported_port_profiles" not in described or "port_profile" not in vif:
            return
        profiles = {profile.profile_object_name: profile for profile in described.supported_port_profiles}
        assert vif.port_profile.obj_name() in profiles
        for profile in profiles.values():
            assert profile.get_common_version()

    def test_host_info_can_be_filtered(self) -> None:
        """The plugin is told of to those who ask for its VIFs, and to no others; and it can be sent over the wire."""
        vif, _ = self.make_vif(1)
        assert os_vif.host_info([vif.obj_name()]).has_plugin(self._name())
        assert not os_vif.host_info(["VIFThatNobodyHas"]).has_plugin(self._name())
        assert os_vif.host_info().obj_to_primitive()

    def _described(self) -> HostVIFInfo:
        vif, _ = self.make_vif(1)
        return os_vif.host_info().get_plugin(self._name()).get_vif(vif.obj_name())

    def _name(self) -> str:
        return str(self.plugin().describe().plugin_name)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
