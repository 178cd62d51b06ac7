# SPDX-License-Identifier: Apache-2.0
"""The conformance kit of os-vif, run on this plugin."""

from __future__ import annotations

import subprocess

from os_vif.objects.instance_info import InstanceInfo
from os_vif.objects.vif import VIFBridge
from os_vif.testing.conformance import PluginConformance

INSTANCE = InstanceInfo(uuid="5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d", name="guest-1")


class TestPairPlugin(PluginConformance):
    """On the kernel, each test in a network namespace of its own."""

    #: Enough to be quick here; leave it out for your own.
    most_crashes = 10

    def prepare(self):
        subprocess.run(["ip", "link", "add", "br-example", "type", "bridge"], check=True)

    def make_vif(self, number):
        identity = f"{number:08x}-6b9c-4c2d-9d1f-9f7c1f0c9c11"
        vif = VIFBridge(id=identity, plugin="pair", vif_name=f"guest{number}", bridge_name="br-example")
        return vif, INSTANCE
