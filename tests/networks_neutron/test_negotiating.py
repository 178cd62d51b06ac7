# SPDX-License-Identifier: Apache-2.0
"""A Neutron that knows of offers: its answers and its refusals get through, and it is not trusted blindly."""

from __future__ import annotations

import pytest

from networks_neutron.conftest import new_driver, new_request
from networks_neutron.test_vifs import PORT, wired
from os_vif import exception
from os_vif.negotiation import details
from os_vif.negotiation.answer import answer
from os_vif.negotiation.choice import choose
from os_vif.negotiation.provision import Provision
from os_vif.negotiation.request import Purpose
from os_vif.networks.neutron.answering import answer_of
from os_vif.objects.vif import VIFBridge
from os_vif.testing import offers
from support.neutron import agents


@pytest.fixture
def driver(negotiating_server):
    return new_driver(negotiating_server.url)


@pytest.fixture
def network(negotiating_server):
    physical = {"provider_network_type": "vlan", "provider_physical_network": agents.PHYSICAL_NETWORK}
    return negotiating_server.client.create_network("203.0.113.0/24", name="negotiated", **physical)


def test_what_there_was_no_room_for_is_there_all_the_same(driver, network):
    """The answer in the binding has no subnets; whoever made the port knows them."""
    answered = driver.bind(new_request("net0", "both", "macvtap", network=network))
    (subnet,) = answered.vif.network.subnets.objects
    assert (answered.choice, str(subnet.cidr)) == ("macvtap", "203.0.113.0/24")
    assert [str(ip.address) for ip in subnet.ips.objects] == list(driver.show(answered.vif.id).ip_addresses)
    driver.unbind(answered.vif.id, "both")


def test_the_server_knows_nothing_of_queues_and_the_tap_has_them_all_the_same(driver, network):
    request = new_request("net0", "ovs1", "ovs", network=network, queues=2)
    request.offer.candidates[0].constraints.device_by = ["plugin"]
    answered = driver.bind(request)
    profile = answered.vif.port_profile
    assert (profile.create_tap, profile.multiqueue) == (True, True)
    driver.unbind(answered.vif.id, "ovs1")


def test_the_servers_reasons_are_told(driver, network):
    """Of a new port, which is bound with 201, and of a second binding, which is answered with 409."""
    with pytest.raises(exception.BindingRefused, match=r"No mechanism driver binds it on ovs1.*Macvtap agent"):
        driver.bind(new_request("net0", "ovs1", "macvtap", network=network))
    first = driver.bind(new_request("net0", "both", "macvtap", network=network))
    with pytest.raises(exception.BindingRefused, match=r"No mechanism driver binds it on ovs1.*Macvtap agent"):
        driver.bind(new_request("net0", "ovs1", "macvtap", network=network, purpose=Purpose.MIGRATE))
    assert [binding.host for binding in driver.show(first.vif.id).bindings] == ["both"]
    driver.unbind(first.vif.id, "both")


def test_an_answer_that_was_not_offered_is_not_used():
    """Whatever a server says."""
    offered = offers.offer("bridge", host="ovs1")
    vif = VIFBridge(id=PORT, address="fa:16:3e:00:00:01", plugin="linux_bridge", vif_name="tap1", bridge_name="br1")
    made = answer(choose(offered, [Provision("bridge", VIFBridge)]), vif, offered)
    told = wired("bridge", details=details.with_answer({}, made))
    assert answer_of(told, new_request("net0", "ovs1", "bridge"), 7).generation == 7
    with pytest.raises(exception.AnswerNotOffered, match="answered with bridge, which was not offered; offered: ovs"):
        answer_of(told, new_request("net0", "ovs1", "ovs"), 7)
