# SPDX-License-Identifier: Apache-2.0
"""Virtual machines on ports of a real Neutron, given to them by the command, whether or not Neutron knows of offers.

Nobody wires here: in place of Neutron's agent, br-int switches as a bridge does.
"""

from __future__ import annotations

import contextlib
import uuid

import pytest

from os_vif.negotiation import details, profile
from support.commanded import Host, address, boot
from support.guest import moving
from support.neutron import agents
from support.parts import require, require_tun
from support.relay import relayed

WIRE = "wire"
CONFIGURATION = """
[os_vif_network_neutron]
endpoint = {}
"""


class NeutronHosts:
    """Two hosts, and the Neutron that they share; ``network`` is the network's id."""

    def __init__(self, server, new_netns, directory, stack):
        self.server, self.client = server, server.client
        self.network = self.client.create_network("10.0.0.0/24")
        self._made = {
            name: self._host(f"{name}-{uuid.uuid4()}", new_netns(), directory, stack) for name in ("one", "two")
        }
        one, two = self
        one.ns.ip("link", "add", WIRE, "type", "veth", "peer", "name", WIRE, "netns", two.ns.name)
        for host in self:
            host.ns.ip("link", "set", WIRE, "up")
            bridge = ("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev")
            host.switch.vsctl(*bridge, "--", "add-port", "br-int", WIRE)

    def __iter__(self):
        return iter(self._made.values())

    def _host(self, name, namespace, directory, stack):
        self.server.report(agents.open_vswitch(name, datapath_type="netdev"))
        stack.enter_context(relayed(namespace, int(self.server.url.rpartition(":")[2])))
        return stack.enter_context(Host(name, namespace, directory, CONFIGURATION.format(self.server.url)))

    def attach(self, host, guest):
        return host.attach(guest, "--network-driver", "neutron", network=self.network)

    def prepare(self, host, guest):
        return host.prepare(guest, "--network-driver", "neutron", network=self.network)

    def port(self, attached):
        return self.client.get(f"/ports/{attached['port_id']}").ok()

    def bindings(self, attached):
        """The status of each, by host."""
        bindings = self.client.get(f"/ports/{attached['port_id']}/bindings").ok()
        return {binding["host"]: binding["status"] for binding in bindings}

    def ports(self):
        return self.client.get(f"/ports?network_id={self.network}").ok()


@pytest.fixture
def hosts_of(neutron_server, new_netns, tmp_path):
    """Makes hosts: hosts_of(negotiation=True)."""
    require_tun()
    require(module="openstack", package="openstacksdk")
    with contextlib.ExitStack() as stack:
        yield lambda **how: NeutronHosts(neutron_server(agents=agents.EVERY_KIND, **how), new_netns, tmp_path, stack)


def test_on_a_neutron_that_knows_nothing_of_offers_guests_reach_each_other(hosts_of, new_netns):
    """It says no more than that a port is Open vSwitch's; who makes the device is agreed all the same.

    For the virtual machine the plugin makes a tap; for the namespace the driver makes the device.
    """
    hosts = hosts_of()
    host, _ = hosts
    before = host.traces()
    machine = hosts.attach(host, "one")
    with boot(host, machine) as guest:
        inside = new_netns()
        parties = ("--network-driver", "neutron", "--hypervisor", "netns")
        other = host.vif("attach", "two", "--network", hosts.network, *parties, "--endpoint", inside.name)
        guest.wait()
        assert guest.reaches(address(other))
    port = hosts.port(machine)
    assert details.KEY not in port["binding:vif_details"]
    assert (port["binding:vif_type"], port["binding:host_id"]) == ("ovs", host.name)
    assert host.switch.rows("Interface")[machine["device"]]["external_ids"]["iface-id"] == port["id"]
    for name in ("one", "two"):
        host.vif("detach", name)
    assert hosts.ports() == []
    assert host.traces() == before


def test_on_a_neutron_that_negotiates_guests_reach_each_other_and_one_moves(hosts_of):
    """The offer and the answer are seen at the port; of the two bindings one is active, before and after."""
    hosts = hosts_of(negotiation=True)
    source, destination = hosts
    before = [host.traces() for host in hosts]
    mover, stayer = hosts.attach(source, "mover"), hosts.attach(destination, "stayer")
    with boot(source, mover) as guest, boot(destination, stayer) as other:
        guest.wait()
        other.wait()
        assert guest.reaches(address(stayer))
        port = hosts.port(mover)
        assert port["binding:profile"][profile.KEY]["host"] == source.name
        assert port["binding:vif_details"][details.KEY]["choice"] == "ovs"
        prepared = hosts.prepare(destination, "mover")
        assert hosts.bindings(mover) == {source.name: "ACTIVE", destination.name: "INACTIVE"}
        with boot(destination, prepared, moving.ARRIVING) as arrival:
            moving.expect(arrival)
            moving.begin(guest, arrival)
            destination.vif("migrate", "activate", "mover")
            assert hosts.bindings(mover) == {source.name: "INACTIVE", destination.name: "ACTIVE"}
            moving.finish(guest)
            guest.stop()
            source.vif("detach", "mover")
            assert hosts.bindings(mover) == {destination.name: "ACTIVE"}
            assert arrival.reaches(address(stayer))
            assert other.reaches(address(mover))
    for name in ("mover", "stayer"):
        destination.vif("detach", name)
    assert hosts.ports() == []
    assert [host.traces() for host in hosts] == before
