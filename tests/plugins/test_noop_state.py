# SPDX-License-Identifier: Apache-2.0
"""The plugin that does nothing takes everything."""

from __future__ import annotations

import pytest

from os_vif.objects.vif import VIFHostDevice, VIFVHostUser
from os_vif.plugins.noop import NoOpPlugin
from support import vifs


@pytest.mark.parametrize(
    "vif",
    [
        VIFVHostUser(id=vifs.identity(1), plugin="noop", path="/run/vhu1", mode="server"),
        VIFHostDevice(id=vifs.identity(1), plugin="noop", dev_address="0000:03:00.1", vif_name="tap1"),
        vifs.bridge("br0"),
    ],
)
def test_nothing_is_stated(vif):
    """Whatever the VIF: Nova gives this plugin vhost-user ports and remote-managed functions."""
    assert list(NoOpPlugin.load("noop").desired_state(vif, vifs.INSTANCE)) == []


def test_it_tells_of_the_classes_that_nova_gives_it():
    """os-vif 5.3.0 tells of VIFVHostUser 1.0 only, although 1.1 exists and VIFHostDevice is given to it as well."""
    info = NoOpPlugin.load("noop").describe()
    assert info.plugin_name == "noop"
    assert [(vif.vif_object_name, vif.min_version, vif.max_version) for vif in info.vif_info] == [
        ("VIFVHostUser", "1.0", "1.1"),
        ("VIFHostDevice", "1.0", "1.0"),
    ]
