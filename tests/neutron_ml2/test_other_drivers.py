# SPDX-License-Identifier: Apache-2.0
"""Mechanism drivers of others beside ours: each is asked, none is harmed, and what only one can do is still done."""

from __future__ import annotations

import json
import subprocess
import uuid
from pathlib import Path

import pytest

from neutron_ml2.conftest import vlan
from neutron_ml2.offering import answered, attach, offer
from neutron_ml2.test_refusing import refusals
from support.neutron import agents

DRIVERS = {"top_of_rack": "TopOfRack", "troubled": "Troubled", "routed": "Routed", "vendor": "Vendor"}

#: In rack1, guests reach the fabric only through a VLAN that the switch of the rack maps into the network.
AGENTS = (
    agents.open_vswitch("rack1", tunnel_types=[]),
    agents.macvtap("rack1"),
    agents.open_vswitch("paid1", resource_provider_bandwidths={"br-ex": {"egress": 1000, "ingress": 1000}}),
    agents.macvtap("paid1"),
)


@pytest.fixture(scope="session")
def _others(tmp_path_factory):
    """A directory for PYTHONPATH, where Neutron finds the drivers of drivers.py by their entry points."""
    directory = tmp_path_factory.mktemp("drivers")
    (directory / "rack_drivers.py").write_text(Path(__file__).with_name("drivers.py").read_text())
    info = directory / "rack_drivers-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: rack-drivers\nVersion: 1\n")
    points = [f"{name} = rack_drivers:{cls}" for name, cls in DRIVERS.items()]
    (info / "entry_points.txt").write_text("\n".join(["[neutron.ml2.mechanism_drivers]", *points, ""]))
    return directory


@pytest.fixture(scope="session")
def rack_server(neutron_server, _others):
    drivers = ("top_of_rack", "troubled", "routed", "openvswitch", "macvtap", "vendor")
    return neutron_server(agents=AGENTS, negotiation=True, mechanism_drivers=drivers, path=(_others,))


@pytest.fixture
def client(rack_server):
    return rack_server.client


def asked(server, port):
    """How often the first of the other drivers was asked about a port."""
    return server.log().count(f"top_of_rack is asked about {port['id']}")


def test_the_lower_part_of_a_hierarchy_is_negotiated(client):
    """Neutron's own answer would be ovs: openvswitch comes first."""
    offered = offer("rack1", "macvtap", "ovs")
    port = client.create_port(client.create_network(), **attach(offered))
    assert answered(port, offered).choice == "macvtap"
    assert port["binding:vif_details"]["bound_drivers"] == {"0": "top_of_rack", "1": "os_vif_negotiated"}


def test_a_refusal_asks_every_other_driver_once(rack_server):
    port = rack_server.client.create_port(vlan(rack_server.client), **attach(offer("rack1", "hostdev")))
    assert (port["binding:vif_type"], asked(rack_server, port)) == ("binding_failed", 1)


def test_what_each_driver_said_is_the_reason(client):
    port = client.create_port(vlan(client), **attach(offer("rack1", "bridge")))
    _, reason = refusals(port)["bridge"]
    assert reason == (
        "No mechanism driver binds it on rack1: top_of_rack: it would bind nothing; troubled: it failed (the"
        " controller is on fire); routed: it would bind nothing; openvswitch: it would bind ovs; macvtap: it would bind"
        " macvtap; vendor: it would bind vendor_magic."
    )


def test_a_driver_in_trouble_is_logged_and_does_not_stop_the_others(rack_server):
    offered = offer("rack1", "ovs")
    port = rack_server.client.create_port(vlan(rack_server.client), **attach(offered))
    assert answered(port, offered).choice == "ovs"
    assert "Mechanism driver troubled failed when asked what it would bind" in rack_server.log()


def test_a_tap_that_the_network_routes(client):
    """The driver says which status the port is to have; without an IP address it is not asked, as in Neutron."""
    offered, network = offer("routed", "tap"), vlan(client)
    port = client.create_port(network, **attach(offered))
    vif = answered(port, offered).vif
    assert (vif.plugin, vif.vif_name, vif.has_traffic_filtering) == ("tap", f"tap{port['id'][:11]}", True)
    assert client.get(f"/ports/{port['id']}").ok()["status"] == "ACTIVE"
    without = client.create_port(network, fixed_ips=[], **attach(offered))
    assert "routed: it binds only ports that have an IP address" in refusals(without)["tap"][1]


def test_an_answer_that_does_not_fit_beside_what_the_driver_says_is_refused_whole(client):
    """Neutron's column has 4095 characters; half a VIF would be worse than none."""
    offers = {length: offer(f"routed-{length}", "tap") for length in (3000, 3900)}
    fits, too_long = (client.create_port(vlan(client), **attach(offered)) for offered in offers.values())
    assert answered(fits, offers[3000]).vif.vif_name == f"tap{fits['id'][:11]}"
    assert too_long["binding:vif_type"] == "binding_failed"
    assert refusals(too_long)["*"][0] == "too-long"


def test_a_type_that_we_cannot_plug_is_left_to_who_does_not_negotiate(client):
    port = client.create_port(vlan(client), **{"binding:host_id": "elsewhere"})
    assert port["binding:vif_type"] == "vendor_magic"


def test_an_allocation_of_placement_decides_instead_of_the_offer(client):
    """ML2 takes the binding back and has the one driver bind that the allocation belongs to, see docs."""
    namespace = uuid.UUID("87ee7d5c-73bb-11e8-9008-c4d987b2a692")  # of openvswitch
    allocation = {str(uuid.uuid4()): str(uuid.uuid5(namespace, "paid1:br-ex"))}
    port = client.create_port(vlan(client), **attach(offer("paid1", "macvtap"), allocation=allocation))
    assert (port["binding:vif_type"], "os_vif" in port["binding:vif_details"]) == ("ovs", False)


def test_on_a_neutron_that_keeps_its_drivers_elsewhere_ports_are_bound_as_if_nothing_were_offered(neutron_python):
    """And the log says so: in Neutron, nothing but the names that are looked for could go away."""
    code = """
import json, logging, sys, types
from neutron_lib.plugins import directory
from os_vif.neutron_ml2.mechanism import NegotiatingMechanismDriver

logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
class Core:
    mechanism_manager = object()

core = Core()
directory.add_plugin("CORE", core)
port = json.load(sys.stdin)
NegotiatingMechanismDriver().bind_port(
    types.SimpleNamespace(current=port, host="ovs1", plugin_context=types.SimpleNamespace())  # no set_binding()
)
"""
    port = {"id": "p", **attach(offer("ovs1", "ovs"))}
    ran = subprocess.run([neutron_python, "-c", code], input=json.dumps(port), capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == (
        "ERROR This Neutron's mechanism drivers cannot be asked ('object' object has no attribute"
        " 'ordered_mech_drivers'): binding port p as if nothing were offered.\n"
    )
