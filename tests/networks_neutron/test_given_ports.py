# SPDX-License-Identifier: Apache-2.0
"""Ports that somebody else has made: bound and given back, never deleted, and nobody else's keys are touched."""

from __future__ import annotations

import pytest

from os_vif import exception

THEIRS = {"device_owner": "", "device_id": ""}


@pytest.fixture
def given(client, blue, ask):
    """A port with a name, and with something in its profile."""
    return client.create_port(blue, name="mine", device_owner="", **{"binding:profile": {"theirs": "kept"}})


def test_it_is_bound_and_given_back_as_it_was(client, driver, given, ask):
    request = ask("net0", "ovs1", "ovs", port_id=given["id"])
    answer = driver.bind(request)
    bound = client.get(f"/ports/{given['id']}").ok()
    assert (answer.vif.id, answer.vif.preserve_on_delete) == (given["id"], True)
    assert (bound["name"], bound["binding:profile"]["theirs"], bound["binding:vif_type"]) == ("mine", "kept", "ovs")
    assert (bound["device_id"], driver.show(given["id"]).ours) == (str(request.instance.uuid), False)
    assert driver.find(request.key) == given["id"]
    driver.unbind(given["id"], "ovs1")
    after = client.get(f"/ports/{given['id']}").ok()
    kept = (
        "name",
        "device_id",
        "device_owner",
        "binding:host_id",
        "binding:profile",
        "binding:vif_type",
        "mac_address",
    )
    assert [after[key] for key in kept] == [given[key] for key in kept]
    assert driver.find(request.key) is None


@pytest.mark.parametrize("host", ["hybrid", "nowhere"])
def test_refused_it_is_as_it_was(client, driver, given, ask, host):
    """Where Neutron binds what was not offered, and where it binds nothing."""
    with pytest.raises(exception.BindingRefused):
        driver.bind(ask("net0", host, "ovs", port_id=given["id"]))
    after = client.get(f"/ports/{given['id']}").ok()
    kept = ("device_id", "device_owner", "binding:host_id", "binding:profile", "binding:vif_type")
    assert [after[key] for key in kept] == [given[key] for key in kept]


def test_refused_to_the_guest_that_has_it_already(client, driver, given, ask):
    """By other ways, such as Nova's: its binding is as it was."""
    request = ask("net0", "hybrid", "ovs", port_id=given["id"])
    theirs = {"device_owner": "compute:nova", "device_id": str(request.instance.uuid), "binding:host_id": "hybrid"}
    before = client.put(f"/ports/{given['id']}", {"port": theirs}).ok()
    with pytest.raises(exception.BindingRefused):
        driver.bind(request)
    after = client.get(f"/ports/{given['id']}").ok()
    kept = ("device_id", "device_owner", "binding:host_id", "binding:profile", "binding:vif_type")
    assert [after[key] for key in kept] == [before[key] for key in kept]


def test_a_port_in_use_is_left_alone(client, driver, given, ask):
    client.put(f"/ports/{given['id']}", {"port": {"device_owner": "compute:nova", "device_id": "another-guest"}}).ok()
    with pytest.raises(exception.NetworkConflict, match=f"{given['id']} is used by compute:nova another-guest"):
        driver.bind(ask("net0", "ovs1", "ovs", port_id=given["id"]))


def test_a_port_of_another_network_is_left_alone(client, driver, given, ask):
    other = client.create_network("198.51.100.0/24", name="red")
    with pytest.raises(exception.NetworkConflict, match="is of network blue; red is asked for"):
        driver.bind(ask("net0", "ovs1", "ovs", port_id=given["id"], network=other))


def test_a_port_of_another_kind_is_left_alone(driver, given, ask):
    with pytest.raises(exception.NetworkConflict, match="is for a normal vNIC; direct is asked for"):
        driver.bind(ask("net0", "ovs1", "ovs", port_id=given["id"], vnic_type="direct"))


def test_a_profile_without_room_for_an_offer_says_so_before_anything_is_touched(client, driver, given, ask):
    full = {"theirs": "x" * 3900}
    client.put(f"/ports/{given['id']}", {"port": {"binding:profile": full}}).ok()
    with pytest.raises(exception.TooLong, match="os_vif_offer"):
        driver.bind(ask("net0", "ovs1", "ovs", port_id=given["id"]))
    after = client.get(f"/ports/{given['id']}").ok()
    assert (after["binding:profile"], after["device_owner"]) == (full, "")


def test_an_unbound_port_shows_no_bindings(driver, given):
    port = driver.show(given["id"])
    assert (port.bindings, port.ours, port.key, port.network) == ((), False, "", "blue")


def test_a_port_whose_active_binding_was_deleted_is_mended(client, driver, ask, given):
    """Neutron shows it without any attributes of bindings, and refuses to change it until there is a binding."""
    request = ask("net0", "ovs1", "ovs", port_id=given["id"])
    driver.bind(request)
    assert client.delete(f"/ports/{given['id']}/bindings/ovs1").status == 204
    assert "binding:host_id" not in client.get(f"/ports/{given['id']}").ok()
    assert driver.show(given["id"]).bindings == ()
    assert driver.decide(request).choice.candidate.name == "ovs"
    answer = driver.bind(request)
    driver.activate(given["id"], "ovs1", answer.generation)
    assert client.get(f"/ports/{given['id']}").ok()["binding:vif_type"] == "ovs"
    driver.unbind(given["id"], "ovs1")
    assert client.get(f"/ports/{given['id']}").ok()["device_owner"] == ""
