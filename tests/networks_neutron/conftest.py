# SPDX-License-Identifier: Apache-2.0
"""The driver, and a real Neutron: one that knows nothing of offers, and one with what we install into it."""

from __future__ import annotations

import types

import pytest

from os_vif.networks.neutron.driver import NeutronDriver
from os_vif.networks.neutron.options import OPTIONS
from support.neutron import agents

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
