# SPDX-License-Identifier: Apache-2.0
"""The driver keeps to what every network driver must do, whether or not the server knows of offers."""

from __future__ import annotations

import pytest

from networks_neutron.conftest import new_driver
from os_vif.testing.conformance.networks import NetworkDriverConformance
from support.neutron import agents


class Neutron(NetworkDriverConformance):
    __test__ = False
    server_fixture = ""
    network = "blue"

    @pytest.fixture(autouse=True)
    def _server(self, request):
        self.server = request.getfixturevalue(self.server_fixture)

    def prepare(self):
        client = self.server.client
        if not client.get(f"/networks?name={self.network}").ok():
            spec = {"provider_network_type": "vlan", "provider_physical_network": agents.PHYSICAL_NETWORK}
            client.create_network("192.0.2.0/24", name=self.network, **spec)

    def make_driver(self):
        return new_driver(self.server.url)


class TestPlain(Neutron):
    """It binds the one type that it would bind for anybody."""

    server_fixture = "plain_server"
    types = ("ovs",)
    hosts = ("ovs1", "ovs2")


class TestNegotiating(Neutron):
    """It has our mechanism driver, and hosts that can do more than one type."""

    server_fixture = "negotiating_server"
    types = ("ovs", "macvtap")
    hosts = ("both", "both2")
