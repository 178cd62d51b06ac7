# SPDX-License-Identifier: Apache-2.0
"""Our own plugins keep to what the conformance kit asks of others: on the fake host and on the kernel."""

from __future__ import annotations

from os_vif.host.access.host import RealHost
from os_vif.host.contract.operations import Operation
from os_vif.testing import FakeHost
from os_vif.testing.conformance import PluginConformance
from support import vifs


class TestTap(PluginConformance):
    """The tap plugin, on a fake host."""

    def make_host(self):
        return FakeHost()

    def make_vif(self, number):
        return vifs.generic(f"tap{number}", number=number), vifs.INSTANCE


class TestTapInABridge(PluginConformance):
    """The tap plugin on a network whose bridge it is to make, on a fake host with a card whose addresses move."""

    def make_host(self):
        return FakeHost()

    def prepare(self):
        self.host.somebody.add_nic("eth0", addresses=["192.0.2.5/24"])

    def make_vif(self, number):
        network = vifs.Network(bridge="br0", should_provide_bridge=True, bridge_interface="eth0", mtu=1450)
        return vifs.generic(f"tap{number}", number=number, network=network), vifs.INSTANCE


class TestLinuxBridge(PluginConformance):
    """The Linux bridge plugin, on a fake host with a card whose addresses move."""

    def make_host(self):
        return FakeHost()

    def prepare(self):
        self.host.somebody.add_nic("eth0", addresses=["192.0.2.5/24"])
        self.host.somebody.add_route("eth0", "default", via="192.0.2.1")

    def make_vif(self, number):
        return vifs.bridge("br0", number=number + 1, bridge_interface="eth0", mtu=1450), vifs.INSTANCE


class TestMacvtap(PluginConformance):
    """The macvtap plugin, on a fake host with VLANs."""

    def make_host(self):
        return FakeHost()

    def prepare(self):
        self.host.somebody.add_nic("eth0")

    def make_vif(self, number):
        network = vifs.Network(bridge_interface="eth0", vlan=7, mtu=1400)
        return vifs.direct(f"mvt{number}", number=number, vlan_name="vlan7", network=network), vifs.INSTANCE


class TestMacvtapOnTheKernel(PluginConformance):
    """The macvtap plugin, for real, on a veth."""

    left_to_chance = ()
    most_crashes = 8

    def prepare(self):
        RealHost().run([Operation("link.add", {"name": "eth0", "kind": "veth", "peer": "far0"})], "")
        RealHost().run([Operation("link.set", {"name": name, "group": 0}) for name in ("eth0", "far0")], "")

    def make_vif(self, number):
        return vifs.direct(f"mvt{number}", number=number, network=vifs.Network(bridge_interface="eth0")), vifs.INSTANCE


class TestTapOnTheKernel(PluginConformance):
    """The tap plugin, for real."""

    most_crashes = 8

    def make_vif(self, number):
        return vifs.generic(f"tap{number}", number=number), vifs.INSTANCE
