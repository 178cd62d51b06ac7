# SPDX-License-Identifier: Apache-2.0
"""Answers of a Neutron that knows nothing of offers: what is bound is translated and checked, or refused."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.testing import offers
from os_vif.testing.conformance.processes import in_threads


@pytest.mark.parametrize(
    ("host", "choice", "vif_class"),
    [("ovs1", "ovs", "VIFOpenVSwitch"), ("hybrid", "ovs-hybrid", "VIFBridge"), ("dpdk1", "vhostuser", "VIFVHostUser")],
)
def test_what_it_binds_is_what_is_plugged(client, driver, ask, blue, host, choice, vif_class):
    answer = driver.bind(ask("net0", host, "macvtap", "ovs", "ovs-hybrid", "vhostuser"))
    port = client.get(f"/ports/{answer.vif.id}").ok()
    (ip,) = port["fixed_ips"]
    (subnet,) = answer.vif.network.subnets.objects
    assert (answer.choice, answer.vif.obj_name(), answer.vif.plugin) == (choice, vif_class, "ovs")
    assert (answer.vif.address, answer.vif.network.id) == (port["mac_address"], blue)
    assert [str(one.address) for one in subnet.ips.objects] == [ip["ip_address"]]
    assert str(subnet.cidr) == "192.0.2.0/24"
    refusals = {refusal.candidate: refusal.reason for refusal in answer.refusals}
    assert (
        refusals["macvtap"]
        == f"Neutron has bound {port['binding:vif_type']} on {host}, and has not looked at the offer."
    )


@pytest.mark.parametrize(("maker", "by_plugin"), [("plugin", True), ("hypervisor", False)])
def test_the_hypervisor_says_who_makes_the_tap(driver, ask, maker, by_plugin):
    """To Neutron it is all one."""
    request = ask("net0", "ovs1", "ovs")
    request.offer = offers.offer("ovs", host="ovs1", device_by=[maker])
    profile = driver.bind(request).vif.port_profile
    assert (profile.create_port, profile.create_tap) == (True, by_plugin)


def test_a_tap_has_as_many_queues_as_the_guest(driver, ask):
    assert driver.bind(ask("net0", "ovs1", "ovs", queues=4)).vif.port_profile.multiqueue is True


def test_shared_memory_that_the_guest_does_not_have_is_refused(client, driver, ask):
    request = ask("net0", "dpdk1", "vhostuser")
    request.offer = offers.offer("vhostuser", "ovs", host="dpdk1", shared_memory=False)
    with pytest.raises(exception.BindingRefused) as caught:
        driver.bind(request)
    told = {refusal.candidate: (refusal.code, refusal.reason) for refusal in caught.value.refusals}
    assert told == {
        "vhostuser": ("constraint", "It needs the guest's memory to be shared, and it is not."),
        "ovs": ("unsupported-type", "Neutron has bound vhostuser on dpdk1, and has not looked at the offer."),
    }
    assert client.get("/ports?device_id=" + str(request.instance.uuid)).ok() == []


def test_refused_to_many_who_ask_for_the_same(client, driver, ask):
    """Each hears why, whoever is first takes the port away, and nobody stumbles over that."""
    refused = []

    def bind(_):
        try:
            driver.bind(ask("net0", "hybrid", "ovs"))
        except exception.BindingRefused as error:
            refused.append(str(error))

    assert in_threads(8, bind) == []
    assert set(refused) == {
        "No offered binding can be provided. ovs: Neutron has bound ovs on hybrid, and has not looked at the offer."
    }
    assert len(refused) == 8
    assert client.get("/ports?device_owner=compute:os-vif-waiting").ok() == []


def test_where_nothing_can_be_bound_the_agents_tell_why(client, driver, ask):
    request = ask("net0", "nowhere", "ovs", "macvtap")
    with pytest.raises(exception.BindingRefused) as caught:
        driver.bind(request)
    reason = (
        "By what agents on nowhere report (none), Neutron would not bind it for a normal vNIC"
        " in a vlan on physnet1 network; this is a guess."
    )
    assert {refusal.candidate: refusal.reason for refusal in caught.value.refusals} == {
        "ovs": reason,
        "macvtap": reason,
    }
    assert client.get("/ports?device_id=" + str(request.instance.uuid)).ok() == []


def test_a_virtual_function_without_an_address_is_refused(client, driver, ask):
    """Who asks for it says which, in the profile of a port of his own."""
    with pytest.raises(exception.BindingRefused, match="its profile has no pci_slot"):
        driver.bind(ask("net0", "nic", "hostdev", vnic_type="direct"))


def test_a_virtual_function(client, driver, ask, blue):
    slot = {"pci_slot": "0000:03:10.2", "pci_vendor_info": "8086:10ed", "physical_network": "physnet1"}
    port = client.create_port(blue, device_owner="", **{"binding:vnic_type": "direct", "binding:profile": slot})
    answer = driver.bind(ask("net0", "nic", "hostdev", port_id=port["id"], vnic_type="direct"))
    assert (answer.choice, answer.vif.dev_address) == ("hostdev", "0000:03:10.2")
    assert answer.vif.network.vlan == int(client.get(f"/ports/{port['id']}").ok()["binding:vif_details"]["vlan"])


@pytest.mark.parametrize("host", ["ovs1", "both", "hybrid", "dpdk1", "nic", "nowhere"])
def test_what_is_guessed_is_what_is_bound(driver, ask, host):
    """As far as the order of Neutron's drivers, which nobody tells, does not matter: ovs is the first here."""
    request = ask("net0", host, "ovs", "ovs-hybrid", "vhostuser", "macvtap", "hostdev")
    decision = driver.decide(request)
    guessed = decision.choice.candidate.name if decision.choice else None
    try:
        bound = driver.bind(request).choice
    except exception.BindingRefused:
        bound = None
        assert all(refusal.reason.endswith("this is a guess.") for refusal in decision.refusals)
    assert guessed == bound
