# SPDX-License-Identifier: Apache-2.0
"""A real Neutron binds, of what its mechanism drivers can do, what the hypervisor would rather have."""

from __future__ import annotations

import pytest

from neutron_ml2.offering import answered, attach, in_header, in_profile, offer

HOSTS = {
    "both": ("ovs", "macvtap"),
    "dpdk1": ("vhostuser", "ovs"),
}


@pytest.mark.parametrize(("host", "names"), [(host, names[::way]) for host, names in HOSTS.items() for way in (1, -1)])
def test_the_hypervisors_order_decides_whatever_the_order_of_drivers(client, network, host, names):
    offered = offer(host, *names)
    port = client.create_port(network, **attach(offered))
    assert port["binding:vif_type"] == names[0]
    answer = answered(port, offered)
    assert (answer.choice, answer.refusals) == (names[0], [])


def test_the_vif_says_all_that_is_needed_to_plug_it(client, network):
    offered = offer("ovs1", "ovs")
    port = client.create_port(network, **attach(offered))
    vif = answered(port, offered).vif
    assert (vif.id, vif.address, vif.plugin) == (port["id"], port["mac_address"], "ovs")
    assert (vif.vif_name, vif.bridge_name) == (f"tap{port['id'][:11]}", "br-int")
    assert (vif.network.id, vif.network.bridge, vif.network.mtu) == (network, "br-int", 1500)
    assert vif.port_profile.interface_id == port["id"]
    assert vif.has_traffic_filtering is True


@pytest.mark.parametrize(("maker", "by_plugin"), [("plugin", True), ("hypervisor", False)])
def test_who_makes_the_tap_is_agreed_and_old_readers_see_it_too(client, network, maker, by_plugin):
    offered = offer("ovs1", "ovs", limits={"ovs": {"device_by": [maker]}})
    port = client.create_port(network, **attach(offered))
    profile = answered(port, offered).vif.port_profile
    assert (profile.create_port, profile.create_tap) == (True, by_plugin)
    assert port["binding:vif_details"]["ovs_create_tap"] is by_plugin


def test_a_tap_on_a_host_with_dpdk_when_memory_is_not_shared(client, network):
    """No driver would bind this by itself: Neutron's own answer for the host is always vhostuser."""
    offered = offer("dpdk1", "vhostuser", "ovs", limits={"vhostuser": {"shared_memory": False}})
    port = client.create_port(network, **attach(offered))
    answer = answered(port, offered)
    assert (answer.choice, [refusal.code for refusal in answer.refusals]) == ("ovs", ["constraint"])
    assert port["binding:vif_details"]["datapath_type"] == "netdev"
    assert answer.vif.port_profile.datapath_type == "netdev"


def test_shared_memory_on_a_host_with_dpdk(client, network):
    offered = offer("dpdk1", "vhostuser", limits={"vhostuser": {"shared_memory": True}})
    port = client.create_port(network, **attach(offered))
    vif = answered(port, offered).vif
    assert (vif.path, vif.mode) == (f"/run/vhost/vhu{port['id'][:11]}", "server")
    assert port["binding:vif_details"]["vhostuser_socket"] == vif.path


def test_a_bridge_for_iptables_where_the_agent_wants_one(client, network):
    offered = offer("hybrid", "ovs", "ovs-hybrid")
    port = client.create_port(network, **attach(offered))
    answer = answered(port, offered)
    assert (answer.choice, answer.vif.bridge_name) == ("ovs-hybrid", f"qbr{port['id'][:11]}")
    assert port["binding:vif_details"]["ovs_hybrid_plug"] is True


def test_a_macvtap_on_a_vlan(client, network):
    offered = offer("both", "macvtap")
    port = client.create_port(network, **attach(offered))
    vif, segment = answered(port, offered).vif, port["binding:vif_details"]["vlan"]
    assert (vif.network.bridge_interface, vif.network.vlan, vif.vlan_name) == ("eth1", segment, f"eth1.{segment}")
    assert vif.mode == "bridge"


def test_a_virtual_function(client, network):
    offered = offer("nic", "hostdev")
    slot = {"pci_slot": "0000:03:10.2", "pci_vendor_info": "8086:10ed", "physical_network": "physnet1"}
    port = client.create_port(network, **attach(offered, **slot), **{"binding:vnic_type": "direct"})
    vif = answered(port, offered).vif
    assert (port["binding:vif_type"], vif.dev_address) == ("hw_veb", "0000:03:10.2")
    assert vif.network.vlan == int(port["binding:vif_details"]["vlan"])


# --- ways in ------------------------------------------------------------------------------------------------


def test_the_offer_may_come_when_the_port_is_made_or_later_or_for_another_host(client, network):
    offered, elsewhere = offer("both", "macvtap", "ovs"), offer("dpdk1", "ovs")
    port = client.create_port(network)
    bound = client.put(f"/ports/{port['id']}", {"port": attach(offered)}).ok()
    further = {"host": "dpdk1", "vnic_type": "normal", "profile": in_profile(elsewhere)}
    second = client.post(f"/ports/{port['id']}/bindings", {"binding": further}).ok()
    assert (bound["binding:vif_type"], second["vif_type"], second["status"]) == ("macvtap", "ovs", "INACTIVE")
    assert (answered(bound, offered).choice, answered(second, elsewhere).choice) == ("macvtap", "ovs")


def test_a_header_alone_will_do(client, network):
    offered = offer("both", "macvtap", "ovs")
    plainly = {"network_id": network, "device_owner": "compute:nova", "binding:host_id": "both"}
    made = client.post("/ports", {"port": plainly}, in_header(offered)).ok()
    client.put(f"/ports/{made['id']}", {"port": {"binding:host_id": ""}}).ok()
    bound = client.put(f"/ports/{made['id']}", {"port": {"binding:host_id": "both"}}, in_header(offered)).ok()
    further = {"binding": {"host": "dpdk1"}}
    second = client.post(f"/ports/{made['id']}/bindings", further, in_header(offer("dpdk1", "ovs"))).ok()
    assert [made["binding:vif_type"], bound["binding:vif_type"], second["vif_type"]] == ["macvtap", "macvtap", "ovs"]
    assert answered(bound, offered).choice == "macvtap"


def test_a_header_of_names_alone_is_answered_in_the_oldest_versions(client, network):
    attributes = {"network_id": network, "binding:host_id": "ovs1"}
    port = client.post("/ports", {"port": attributes}, {"OpenStack-VIF-Accept": "ovs"}).ok()
    vif = answered(port, offer("ovs1", "ovs")).vif
    assert (vif.VERSION, vif.port_profile.VERSION) == ("1.0", "1.0")


def test_the_profile_counts_more_than_the_header(client, network):
    attributes = {"network_id": network, **attach(offer("both", "macvtap"))}
    port = client.post("/ports", {"port": attributes}, in_header(offer("both", "ovs"))).ok()
    assert port["binding:vif_type"] == "macvtap"


def test_an_offer_that_another_host_has_left_does_not_count(client, network):
    port = client.create_port(network, **attach(offer("both", "macvtap")))
    moved = client.put(f"/ports/{port['id']}", {"port": {"binding:host_id": "ovs1"}}).ok()
    assert (moved["binding:vif_type"], "os_vif" in moved["binding:vif_details"]) == ("ovs", False)


def test_the_offer_is_kept_when_neutron_binds_again(client, network):
    offered = offer("both", "macvtap", "ovs")
    port = client.create_port(network, **attach(offered))
    client.put(f"/ports/{port['id']}", {"port": {"binding:host_id": ""}}).ok()
    again = client.put(f"/ports/{port['id']}", {"port": {"binding:host_id": "both"}}).ok()
    assert (answered(again, offered).choice, again["binding:profile"]) == ("macvtap", port["binding:profile"])


def test_a_port_without_an_address_is_negotiated_too(client, network):
    offered = offer("both", "macvtap", "ovs")
    port = client.create_port(network, fixed_ips=[], **attach(offered))
    assert (port["fixed_ips"], answered(port, offered).choice) == ([], "macvtap")
