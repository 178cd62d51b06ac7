# SPDX-License-Identifier: Apache-2.0
"""The header counts only from those who may bind ports: anybody may send one with any request."""

from __future__ import annotations

import pytest

from neutron_ml2.conftest import vlan
from support.neutron import Client

PROJECT = "5f2d9b1e6c3a4d70"
WHO = {
    "nova": {"X-User-Id": "nova", "X-Project-Id": "services", "X-Roles": "admin,service"},
    "somebody": {"X-User-Id": "somebody", "X-Project-Id": PROJECT, "X-Roles": "member,reader"},
}


@pytest.fixture(scope="session")
def keystone_server(neutron_server):
    return neutron_server(negotiation=True, options={"DEFAULT": {"auth_strategy": "keystone"}})


@pytest.mark.parametrize(("who", "heeded"), [("somebody", False), ("nova", True)])
def test_only_who_may_bind_ports_has_a_say_in_how_they_are_bound(keystone_server, who, heeded):
    """Neutron tries again to bind a port that could not be bound when anything of it is changed, also by its owner."""
    nova, client = (Client(keystone_server.url, WHO[name]) for name in ("nova", who))
    network = vlan(nova, project_id=PROJECT)
    port = nova.create_port(network, project_id=PROJECT, **{"binding:host_id": "nowhere"})
    client.put(f"/ports/{port['id']}", {"port": {"name": "x"}}, {"OpenStack-VIF-Accept": "macvtap"}).ok()
    now = nova.get(f"/ports/{port['id']}").ok()
    assert (now["name"], "os_vif" in now["binding:vif_details"]) == ("x", heeded)
