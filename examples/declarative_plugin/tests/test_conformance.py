# SPDX-License-Identifier: Apache-2.0
"""The conformance kit of os-vif, run on this plugin: on a fake host, and on the kernel."""

from __future__ import annotations

from vif_plug_isolated.plugin import IsolatedPlugin

import os_vif
from os_vif.objects.instance_info import InstanceInfo
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFGeneric
from os_vif.testing import FakeHost
from os_vif.testing.conformance import PluginConformance

INSTANCE = InstanceInfo(uuid="5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d", name="guest-1")
NETWORK = Network(id="b5a7c0f2-1d3e-4f5a-8b9c-0d1e2f3a4b5c", mtu=1400)


class TestOnTheKernel(PluginConformance):
    """For real, each test in a network namespace of its own."""

    #: Enough to be quick here; leave it out for your own.
    most_crashes = 8

    def make_plugin(self):
        return IsolatedPlugin(None)

    def make_vif(self, number):
        identity = f"{number:08x}-6b9c-4c2d-9d1f-9f7c1f0c9c11"
        return VIFGeneric(id=identity, plugin="isolated", vif_name=f"guest{number}", network=NETWORK), INSTANCE


class TestOnAFakeHost(TestOnTheKernel):
    """Without privileges, and at every step."""

    most_crashes = 60

    def make_host(self):
        return FakeHost()

    def test_the_guests_of_a_network_are_together(self):
        """Both taps are ports of one bridge, and nothing else is."""
        for number in (1, 2):
            os_vif.plug(*self.make_vif(number))
        assert [port.name for port in self.host.here.ports("isob5a7c0f2-1d")] == ["guest1", "guest2"]
        assert self.host.links["guest1"].mtu == 1400
