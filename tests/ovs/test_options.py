# SPDX-License-Identifier: Apache-2.0
"""Values of the plugin's options that deployers of earlier releases may have set."""

from __future__ import annotations

from os_vif.plugins.ovs import OvsPlugin
from support import ovs_vifs, vifs
from support.plugging import configured


def test_a_timeout_of_0_is_as_long_as_it_takes():
    """Earlier releases handed it to ovs-vsctl, for which 0 is forever."""
    plugin = configured(OvsPlugin, ovs_vsctl_timeout=0)
    stated = plugin.desired_state(ovs_vifs.native(create_port=True), vifs.INSTANCE)
    assert {resource.seconds for resource in stated.resources if hasattr(resource, "seconds")} == {24 * 3600}
