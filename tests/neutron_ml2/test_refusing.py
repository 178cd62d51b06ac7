# SPDX-License-Identifier: Apache-2.0
"""Where nothing fits, the port is not bound, and whoever asked is told why, for every candidate."""

from __future__ import annotations

import json

import pytest

from neutron_ml2.offering import attach, in_header, in_profile, offer
from os_vif import exception
from os_vif.negotiation import details


def refusals(port):
    """What a client is told, as {candidate: (code, reason)}."""
    with pytest.raises(exception.BindingRefused) as caught:
        details.read_answer(port["binding:vif_details"])
    return {refusal.candidate: (refusal.code, refusal.reason) for refusal in caught.value.refusals}


def test_every_candidate_gets_its_reason(client, network):
    offered = offer("dpdk1", "vhostuser", "macvtap", "bridge", limits={"vhostuser": {"shared_memory": False}})
    port = client.create_port(network, **attach(offered))
    said = (
        "No mechanism driver binds it on dpdk1: openvswitch: it would bind vhostuser;"
        " macvtap: there is no Macvtap agent alive on dpdk1; sriovnicswitch: it does not bind vNICs of type normal."
    )
    assert port["binding:vif_type"] == "binding_failed"
    assert refusals(port) == {
        "vhostuser": ("constraint", "It needs the guest's memory to be shared, and it is not."),
        "macvtap": ("driver", said),
        "bridge": ("driver", said),
    }


def test_a_host_that_is_not_in_the_network_is_told_so(client):
    other = client.create_network(provider_network_type="flat", provider_physical_network="elsewhere")
    port = client.create_port(other, **attach(offer("ovs1", "ovs")))
    code, reason = refusals(port)["ovs"]
    assert code == "driver"
    assert "openvswitch: it has no way on ovs1 into the network (flat on elsewhere)" in reason


def test_what_was_refused_is_bound_once_the_offer_fits(client, network):
    port = client.create_port(network, **attach(offer("ovs1", "macvtap")))
    again = client.put(f"/ports/{port['id']}", {"port": attach(offer("ovs1", "macvtap", "ovs"))}).ok()
    assert [port["binding:vif_type"], again["binding:vif_type"]] == ["binding_failed", "ovs"]


def test_a_further_binding_that_is_refused_is_a_conflict_with_all_reasons(client, network):
    """Neutron answers 500 PortBindingError, with no reason."""
    port = client.create_port(network, **attach(offer("both", "ovs")))
    wanted = {"host": "dpdk1", "profile": in_profile(offer("dpdk1", "macvtap"))}
    reply = client.post(f"/ports/{port['id']}/bindings", {"binding": wanted})
    status, kind, message = reply.error()
    told = json.loads(reply.body["NeutronError"]["detail"])
    assert (status, kind, told["code"]) == (409, "BindingRefused", "refused")
    assert [(refusal["candidate"], refusal["code"]) for refusal in told["refusals"]] == [("macvtap", "driver")]
    assert "there is no Macvtap agent alive on dpdk1" in message
    hosts = [binding["host"] for binding in client.get(f"/ports/{port['id']}/bindings").ok()]
    assert hosts == ["both"]


def test_neutrons_ten_attempts_ask_the_other_drivers_once(negotiating_server, network):
    client = negotiating_server.client
    port = client.create_port(network, **attach(offer("ovs1", "macvtap")))
    log = [line for line in negotiating_server.log().splitlines() if port["id"] in line]
    assert sum("Attempt 10 to bind port" in line for line in log) == 1
    assert sum("is not bound on ovs1" in line for line in log) == 1


# --- what cannot be read ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("ovs, (tap", "OpenStack-VIF-Accept: at character 6: a token is needed"),
        ("ovs,", "OpenStack-VIF-Accept: at character 5: nothing follows the comma"),
    ],
)
def test_a_malformed_header_is_a_bad_request_and_makes_nothing(client, network, value, message):
    before = client.get("/ports").ok()
    port = {"port": {"network_id": network, "binding:host_id": "ovs1"}}
    reply = client.post("/ports", port, {"OpenStack-VIF-Accept": value})
    assert reply.error() == (400, "MalformedOffer", message)
    assert client.get("/ports").ok() == before


def test_a_malformed_offer_binds_nothing_and_names_the_place(client, network):
    attributes = attach(offer("ovs1", "ovs"))
    attributes["binding:profile"]["os_vif_offer"]["candidates"] = [{"name": "ovs"}]
    port = client.create_port(network, **attributes)
    [(candidate, (code, reason))] = refusals(port).items()
    assert (candidate, code) == ("*", "malformed-offer")
    assert reason.startswith("os_vif_offer.candidates[0].")


def test_an_offer_of_a_later_major_version_is_answered_with_the_newest_that_is_known(client, network):
    attributes = attach(offer("ovs1", "ovs"))
    attributes["binding:profile"]["os_vif_offer"]["v"] = "7.0"
    port = client.create_port(network, **attributes)
    with pytest.raises(exception.OfferNotUnderstood) as caught:
        details.read_answer(port["binding:vif_details"])
    assert (port["binding:vif_type"], caught.value.kwargs) == ("binding_failed", {"version": "7.0", "known": "1.0"})


def test_so_it_is_for_a_further_binding(client, network):
    port = client.create_port(network, **attach(offer("both", "ovs")))
    wanted = {"host": "dpdk1", "profile": in_profile(offer("dpdk1", "ovs"))}
    wanted["profile"]["os_vif_offer"]["v"] = "7.0"
    reply = client.post(f"/ports/{port['id']}/bindings", {"binding": wanted})
    told = json.loads(reply.body["NeutronError"]["detail"])
    assert reply.error()[:2] == (409, "OfferNotUnderstood")
    assert (told["version"], told["known"]) == ("7.0", "1.0")


# --- what Neutron can hold ----------------------------------------------------------------------------------


def test_an_answer_that_would_be_too_long_leaves_out_reasons_and_never_the_vif(client, network):
    """Neutron's column has 4095 characters. MySQL refuses more; SQLite, as here, would not notice."""
    names = ["bridge", "tap", "hostdev", "ovs-hostdev", "ovs-hybrid", "vhostuser-noop", "macvtap", "vhostuser"] * 4
    offered = offer("ovs1", *names, "ovs")
    port = client.create_port(network, **in_bare_profile(offered))
    answer = details.read_answer(port["binding:vif_details"])
    assert port["binding:vif_type"] == "ovs"
    assert len(answer.refusals) == len(names)
    assert answer.vif.port_profile.interface_id == port["id"]
    kept = {key: value for key, value in port["binding:vif_details"].items() if key != "bound_drivers"}
    assert len(json.dumps(kept)) <= 4095


def in_bare_profile(offered):
    """As many candidates as fit: without port profiles but for the one that counts."""
    for candidate in offered.candidates[:-1]:
        candidate.vif.supported_port_profiles = []
    return attach(offered)


def test_the_header_may_be_as_long_as_servers_take_them(client, network):
    offered = offer("ovs1", *["macvtap"] * 60, "ovs")
    attributes = {"network_id": network, "binding:host_id": "ovs1"}
    port = client.post("/ports", {"port": attributes}, in_header(offered)).ok()
    assert port["binding:vif_type"] == "ovs"
