# SPDX-License-Identifier: Apache-2.0
"""What our plugins say of themselves is what an offer is made of, so it has to be true."""

from __future__ import annotations

import os_vif
from os_vif.negotiation.binding_types import BINDING_TYPES, name_of
from os_vif.objects import vif as vifs

OURS = {"linux_bridge", "macvtap", "noop", "ovs", "tap"}


def test_every_class_of_every_plugin_has_a_common_version() -> None:
    """The newest that this library has, for VIFs as for their port profiles."""
    os_vif.initialize()
    seen = 0
    for plugin in os_vif.host_info().plugin_info:
        for vif in plugin.vif_info if plugin.plugin_name in OURS else ():
            assert vif.get_common_version() == getattr(vifs, vif.vif_object_name).VERSION
            for profile in vif.supported_port_profiles:
                assert profile.get_common_version() == getattr(vifs, profile.profile_object_name).VERSION
            seen += 1
    assert seen == len(BINDING_TYPES)


def test_every_binding_type_is_what_some_plugin_takes() -> None:
    """The table of names and the plugins agree, in both directions."""
    os_vif.initialize()
    described = {
        name_of(vif.vif_object_name, plugin.plugin_name)
        for plugin in os_vif.host_info().plugin_info
        for vif in plugin.vif_info
        if plugin.plugin_name in OURS
    }
    assert described == set(BINDING_TYPES)
