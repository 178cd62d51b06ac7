# SPDX-License-Identifier: Apache-2.0
"""The driver `local` keeps to what every network driver must do, on a Linux bridge and on Open vSwitch."""

from __future__ import annotations

import pytest

from os_vif.testing.conformance.networks import NetworkDriverConformance


class Local(NetworkDriverConformance):
    __test__ = False
    wanted = {}
    options = {}

    @pytest.fixture(autouse=True)
    def _side(self, new_side):
        self.side = new_side(**self.options)

    def prepare(self):
        self.side.create("blue", **self.wanted)

    def make_driver(self):
        return self.side.new_driver()


class TestLinuxBridge(Local):
    """A network with a Linux bridge: the tap in it is made by the hypervisor, or by the plugin."""

    types = ("bridge", "tap")


class TestOpenVSwitch(Local):
    """A network with Open vSwitch that has DPDK."""

    types = ("ovs", "ovs-hybrid", "vhostuser")
    wanted = {"switch": "ovs", "cidrs": ["192.0.2.0/24", "fd00:77::/64"]}
    options = {"ovs_datapath_type": "netdev", "ovs_dpdk": True}
