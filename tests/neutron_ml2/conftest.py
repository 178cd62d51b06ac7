# SPDX-License-Identifier: Apache-2.0
"""A Neutron with our mechanism driver and filter, and the same without, both with hosts of every kind."""

from __future__ import annotations

import pytest

from support.neutron import agents
from support.neutron.server import python


@pytest.fixture(scope="session")
def negotiating_server(neutron_server):
    """With what we install into it."""
    return neutron_server(agents=agents.EVERY_KIND, negotiation=True)


@pytest.fixture(scope="session")
def plain_server(neutron_server):
    """Without."""
    return neutron_server(agents=agents.EVERY_KIND)


@pytest.fixture(scope="session")
def neutron_python():
    """An interpreter that has Neutron and what we install into it."""
    return python()


@pytest.fixture
def client(negotiating_server):
    return negotiating_server.client


@pytest.fixture
def plain(plain_server):
    return plain_server.client


@pytest.fixture
def network(client):
    """A network that every kind of host can be in, on the server that negotiates."""
    return vlan(client)


def vlan(client, **more):
    physical = agents.PHYSICAL_NETWORK
    return client.create_network(provider_network_type="vlan", provider_physical_network=physical, **more)
