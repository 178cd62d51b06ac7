# SPDX-License-Identifier: Apache-2.0
"""The Neutron of the tests is a real one: it has agents, binds ports to their hosts, and fails as Neutron does."""

from __future__ import annotations

from support.neutron import agents


def test_ports_are_bound_by_what_the_agents_of_the_host_say(neutron_server):
    client = neutron_server(agents=agents.EVERY_KIND).client
    network = client.create_network()
    bound = {host: client.create_port(network, **{"binding:host_id": host}) for host in ("ovs1", "dpdk1", "nowhere")}
    types = {host: port["binding:vif_type"] for host, port in bound.items()}
    assert types == {"ovs1": "ovs", "dpdk1": "vhostuser", "nowhere": "binding_failed"}
    assert bound["ovs1"]["binding:vif_details"]["bound_drivers"] == {"0": "openvswitch"}


def test_bad_requests_get_errors_in_neutrons_form(neutron_server):
    client = neutron_server(agents=agents.EVERY_KIND).client
    unknown = "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0"
    assert client.get(f"/ports/{unknown}").error() == (404, "PortNotFound", f"Port {unknown} could not be found.")
