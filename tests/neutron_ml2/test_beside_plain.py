# SPDX-License-Identifier: Apache-2.0
"""Who knows nothing of negotiation notices nothing: clients of a server that has it, and servers that have it not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from neutron_ml2.conftest import vlan
from neutron_ml2.offering import answered, attach, in_header, in_profile, offer
from support.neutron import agents
from support.neutron.configuration import MECHANISM_DRIVER
from support.neutron.server import MECHANISM_DRIVERS

HOSTS = sorted({agent["host"] for agent in agents.EVERY_KIND} | {"nowhere"})

#: What differs from one server to the other, or from one moment to the next.
_VOLATILE = ("id", "mac_address", "created_at", "updated_at", "network_id", "fixed_ips", "security_groups")


def comparable(thing: Any, port: dict[str, Any]) -> Any:
    """Without what differs by chance, and without the name of the driver that is told to admins."""
    text = json.dumps({key: value for key, value in thing.items() if key not in _VOLATILE})
    return json.loads(text.replace(port["id"][:11], "<port>"))


def life(client, host):
    """What an old client does with a port, and what it gets; with another host, as when a guest migrates."""
    network = vlan(client)
    made = client.create_port(network)
    yield made
    yield client.put(f"/ports/{made['id']}", {"port": {"binding:host_id": host}}).ok()
    further = client.post(f"/ports/{made['id']}/bindings", {"binding": {"host": "ovs1", "vnic_type": "normal"}})
    if further.status < 300:
        yield further.ok()
        yield client.put(f"/ports/{made['id']}/bindings/ovs1/activate").ok()
    else:
        kind, message = further.error()[1:]
        yield {"error": kind, "message": message.replace(made["id"], "<port>")}
    yield client.get(f"/ports/{made['id']}").ok()


@pytest.mark.parametrize("host", HOSTS)
def test_an_old_client_gets_what_it_gets_without_our_driver(client, plain, host):
    ours, theirs = list(life(client, host)), list(life(plain, host))
    segments = {"vlan": None}
    for mine, other in zip(ours, theirs, strict=True):
        for answer in (mine, other):
            answer.get("binding:vif_details", answer.get("vif_details", {})).update(segments)
        assert comparable(mine, ours[0]) == comparable(other, theirs[0])
    assert len(ours) >= 4


def test_the_server_has_the_same_extensions(client, plain):
    mine, other = ({extension["alias"] for extension in c.get("/extensions").ok()} for c in (client, plain))
    assert mine == other


def test_the_server_still_schedules_by_who_reaches_a_segment(negotiating_server, plain_server):
    """One mechanism driver that cannot say which hosts do so turns this off for all."""
    off = "No mechanism drivers provide segment reachability"
    assert [off in server.log() for server in (negotiating_server, plain_server)] == [False, False]


@pytest.mark.parametrize("host", ["both", "dpdk1", "nowhere"])
def test_a_server_without_us_keeps_the_offer_and_answers_as_ever(plain, host):
    network = vlan(plain)
    offered = offer(host, "macvtap", "ovs")
    attributes = {"network_id": network, "device_owner": "compute:nova", **attach(offered)}
    asked = plain.post("/ports", {"port": attributes}, in_header(offered)).ok()
    unasked = plain.create_port(network, **{"binding:host_id": host})
    assert asked["binding:profile"] == attributes["binding:profile"]
    assert comparable({**asked, "binding:profile": {}}, asked) == comparable(unasked, unasked)
    assert asked["binding:vif_type"] == {"both": "ovs", "dpdk1": "vhostuser", "nowhere": "binding_failed"}[host]


def test_a_server_without_us_does_not_even_look_at_the_header(plain):
    attributes = {"network_id": vlan(plain), "binding:host_id": "ovs1"}
    port = plain.post("/ports", {"port": attributes}, {"OpenStack-VIF-Accept": "((("}).ok()
    assert port["binding:vif_type"] == "ovs"


def test_without_the_filter_profiles_count_and_headers_do_not(neutron_server):
    drivers = (MECHANISM_DRIVER, *MECHANISM_DRIVERS)
    client = neutron_server(agents=agents.EVERY_KIND, mechanism_drivers=drivers).client
    network, offered = vlan(client), offer("both", "macvtap")
    bound = client.create_port(network, **attach(offered))
    hinted = {"network_id": network, "binding:host_id": "both"}
    by_header = client.post("/ports", {"port": hinted}, in_header(offered)).ok()
    refused = {"host": "dpdk1", "profile": in_profile(offer("dpdk1", "macvtap"))}
    reply = client.post(f"/ports/{bound['id']}/bindings", {"binding": refused})
    assert answered(bound, offered).choice == "macvtap"
    assert by_header["binding:vif_type"] == "ovs"
    assert reply.error()[:2] == (500, "PortBindingError")
