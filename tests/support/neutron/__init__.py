# SPDX-License-Identifier: Apache-2.0
"""A real Neutron API for tests: one process, SQLite, no broker, no Keystone, and agents that are said to be alive.

def test_something(neutron_server):             # the fixture of tests/conftest.py; one server per configuration
    server = neutron_server(agents=[agents.open_vswitch("cmp1")])
    port = server.client.create_port(server.client.create_network())

with NeutronServer(directory, agents=[...], negotiation=True) as server: ...        # one of one's own
"""

from support.neutron.client import Client, Reply
from support.neutron.server import NeutronServer

__all__ = ["Client", "NeutronServer", "Reply"]
