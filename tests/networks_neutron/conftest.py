# SPDX-License-Identifier: Apache-2.0
"""The driver, and a real Neutron: one that knows nothing of offers, and one with what we install into it."""

from __future__ import annotations

import types

import pytest

from os_vif.negotiation.request import Request
from os_vif.networks.neutron.driver import NeutronDriver
from os_vif.networks.neutron.options import OPTIONS
from os_vif.objects.instance_info import InstanceInfo
from os_vif.testing import offers
from support import require
from support.neutron import agents

INSTANCE = "2d9b5a6e-9f6b-4c1c-8a54-6d6f4f0a3b11"

AGENTS = (
    agents.open_vswitch("ovs1"),
    agents.open_vswitch("ovs2"),
    agents.open_vswitch("both"),
    agents.macvtap("both"),
    agents.open_vswitch("both2"),
    agents.macvtap("both2"),
    agents.open_vswitch("hybrid", ovs_hybrid_plug=True),
    agents.open_vswitch_with_dpdk("dpdk1"),
    agents.open_vswitch("nic"),
    agents.sriov("nic"),
)


def new_driver(url, **options):
    """As a process makes it when it starts."""
    require(module="openstack", package="openstacksdk")
    defaults = {option.name: option.default for option in OPTIONS}
    return NeutronDriver("neutron", types.SimpleNamespace(**{**defaults, "endpoint": url, **options}))


@pytest.fixture(scope="session")
def plain_server(neutron_server):
    return neutron_server(agents=AGENTS)


@pytest.fixture(scope="session")
def negotiating_server(neutron_server):
    return neutron_server(agents=AGENTS, negotiation=True)


@pytest.fixture
def client(plain_server):
    """What anybody else can see and do in the Neutron that knows nothing of offers."""
    return plain_server.client


@pytest.fixture
def driver(plain_server):
    return new_driver(plain_server.url)


def new_request(key, host, *types, network="blue", instance=INSTANCE, **fields):
    """A request of a hypervisor on ``host`` that takes ``types``."""
    told = InstanceInfo(uuid=instance, name="guest", project_id="blue")
    lease = fields.pop("lease", 600)
    offer = offers.offer(*types, host=host, lease=lease)
    return Request(key=f"{instance}/{key}", network=network, instance=told, offer=offer, **fields)


@pytest.fixture(autouse=True)
def blue(request):
    """The network of most tests, in the Neutron that knows nothing of offers."""
    if "client" not in request.fixturenames:
        return None
    client = request.getfixturevalue("client")
    known = client.get("/networks?name=blue").ok()
    if known:
        return known[0]["id"]
    physical = {"provider_network_type": "vlan", "provider_physical_network": agents.PHYSICAL_NETWORK}
    return client.create_network("192.0.2.0/24", name="blue", **physical)


@pytest.fixture
def ask(client, driver):
    """Makes requests; the ports that came of them go after the test."""
    known = {port["id"] for port in client.get("/ports").ok()}
    yield new_request
    for port in client.get("/ports").ok():
        if port["id"] not in known:
            assert client.delete(f"/ports/{port['id']}").status == 204
