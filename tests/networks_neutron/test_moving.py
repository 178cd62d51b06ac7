# SPDX-License-Identifier: Apache-2.0
"""A guest moves, as Neutron sees it: its bindings, what they announce, and who may still activate what."""

from __future__ import annotations

import time

import pytest

from os_vif import exception
from os_vif.negotiation.request import Purpose


@pytest.fixture
def source(driver, ask):
    """A port that is in use on ovs1."""
    answer = driver.bind(ask("net0", "ovs1", "ovs"))
    driver.activate(answer.vif.id, "ovs1", answer.generation)
    return answer


@pytest.fixture
def move(driver, ask, source):
    return lambda host, **more: driver.bind(ask("net0", host, "ovs", purpose=Purpose.MIGRATE, **more))


def bindings(client, port_id):
    return {told["host"]: (told["status"], told["vif_type"]) for told in client.get(f"/ports/{port_id}/bindings").ok()}


def profile(client, port_id):
    return client.get(f"/ports/{port_id}").ok()["binding:profile"]


def test_all_the_way(client, driver, source, move):
    """Announced while it moves, as OVN needs it; then the port is on the other host, and says nothing of it."""
    port_id = source.vif.id
    target = move("ovs2")
    assert bindings(client, port_id) == {"ovs1": ("ACTIVE", "ovs"), "ovs2": ("INACTIVE", "ovs")}
    assert profile(client, port_id)["migrating_to"] == "ovs2"
    assert [(found.host, found.port_id) for found in driver.lapsed(1e11)] == [("ovs2", port_id)]
    driver.activate(port_id, "ovs2", target.generation)
    assert bindings(client, port_id) == {"ovs1": ("INACTIVE", "unbound"), "ovs2": ("ACTIVE", "ovs")}
    assert "migrating_to" not in profile(client, port_id)
    assert driver.lapsed(1e11) == []
    driver.activate(port_id, "ovs2", target.generation)
    driver.unbind(port_id, "ovs1")
    assert bindings(client, port_id) == {"ovs2": ("ACTIVE", "ovs")}


def test_given_up(client, driver, source, move):
    """The source is bound as before, for good, and announces nothing."""
    port_id = source.vif.id
    before = client.get(f"/ports/{port_id}").ok()
    move("ovs2")
    driver.unbind(port_id, "ovs2")
    after = client.get(f"/ports/{port_id}").ok()
    kept = ("binding:host_id", "binding:profile", "binding:vif_type", "binding:vif_details", "device_owner")
    assert [after[key] for key in kept] == [before[key] for key in kept]
    assert (bindings(client, port_id), driver.lapsed(1e11)) == ({"ovs1": ("ACTIVE", "ovs")}, [])


def test_given_up_in_two_steps(client, driver, source, move):
    """Whoever deleted the binding was killed before the source was told; the next one tells it."""
    port_id = source.vif.id
    before = client.get(f"/ports/{port_id}").ok()
    move("ovs2")
    assert client.delete(f"/ports/{port_id}/bindings/ovs2").status == 204
    driver.unbind(port_id, "ovs2")
    after = client.get(f"/ports/{port_id}").ok()
    kept = ("binding:profile", "device_owner")
    assert [after[key] for key in kept] == [before[key] for key in kept]


def test_what_was_not_announced_is_when_it_is_asked_for_again(client, driver, source, move):
    """Whoever made the binding was killed before the source was told."""
    port_id = source.vif.id
    quiet = profile(client, port_id)
    first = move("ovs2")
    assert client.put(f"/ports/{port_id}", {"port": {"binding:profile": quiet}}).status == 200
    assert move("ovs2").generation == first.generation
    assert profile(client, port_id)["migrating_to"] == "ovs2"


@pytest.mark.parametrize("host", ["nowhere", "dpdk1"])
def test_refused_by_the_destination(client, driver, source, move, host):
    """Where Neutron answers 500 because nobody binds it, and where it binds what was not offered."""
    before = client.get(f"/ports/{source.vif.id}").ok()
    with pytest.raises(exception.BindingRefused, match=host):
        move(host)
    after = client.get(f"/ports/{source.vif.id}").ok()
    kept = ("binding:host_id", "binding:profile", "binding:vif_type", "status", "device_owner")
    assert [after[key] for key in kept] == [before[key] for key in kept]
    assert bindings(client, source.vif.id) == {"ovs1": ("ACTIVE", "ovs")}


def test_of_two_destinations_one_gets_the_guest(driver, source, move):
    """The other is told, and may ask again."""
    one, other = move("ovs2"), move("both")
    driver.activate(source.vif.id, "both", other.generation)
    with pytest.raises(exception.BindingChanged):
        driver.activate(source.vif.id, "ovs2", one.generation)
    again = move("ovs2")
    driver.activate(source.vif.id, "ovs2", again.generation)


def test_somebody_else_switches_between_looking_and_activating(client, driver, source, move):
    """As Nova would; it is as if we had done it."""
    target = move("ovs2")
    assert client.put(f"/ports/{source.vif.id}/bindings/ovs2/activate").status == 200
    driver.activate(source.vif.id, "ovs2", target.generation)
    assert driver.lapsed(1e11) == []


def test_the_source_leaves_before_the_destination_is_activated(client, driver, source, move):
    """To delete its binding would leave a port that Neutron refuses to change."""
    target = move("ovs2")
    driver.unbind(source.vif.id, "ovs1")
    assert [found.host for found in driver.show(source.vif.id).bindings] == ["ovs2"]
    driver.activate(source.vif.id, "ovs2", target.generation)
    assert client.get(f"/ports/{source.vif.id}").ok()["binding:host_id"] == "ovs2"
    driver.unbind(source.vif.id, "ovs2")
    assert client.get(f"/ports/{source.vif.id}").status == 404


def test_a_host_that_a_guest_was_to_move_to_may_have_it_anew(client, driver, ask):
    """Neutron would try for minutes to bind a port where it has an inactive binding; that one goes first."""
    first = driver.bind(ask("net0", "ovs1", "ovs", lease=0))
    driver.bind(ask("net0", "ovs2", "ovs", purpose=Purpose.MIGRATE, port_id=first.vif.id))
    time.sleep(0.2)  # the first was never activated, and lapses at once
    answer = driver.bind(ask("net0", "ovs2", "ovs"))
    assert answer.vif.id == first.vif.id
    assert bindings(client, first.vif.id) == {"ovs2": ("ACTIVE", "ovs")}


def test_a_port_in_use_elsewhere_stays_there(driver, ask, source):
    with pytest.raises(exception.NetworkConflict, match="is bound to ovs1"):
        driver.bind(ask("net0", "ovs2", "ovs"))


def test_addresses_of_devices_do_not_move(client, driver, ask, blue):
    """A virtual function of the one host means nothing on the other."""
    theirs = {"binding:profile": {"theirs": "kept", "pci_slot": "0000:03:10.2"}}
    port = client.create_port(blue, device_owner="", **theirs)
    driver.bind(ask("net0", "ovs1", "ovs", port_id=port["id"]))
    driver.bind(ask("net0", "ovs2", "ovs", port_id=port["id"], purpose=Purpose.MIGRATE))
    there = client.get(f"/ports/{port['id']}/bindings/ovs2").ok()["profile"]
    assert (there["theirs"], "pci_slot" in there, "migrating_to" in there) == ("kept", False, False)
    assert profile(client, port["id"])["pci_slot"] == "0000:03:10.2"


def test_a_lease_is_put_off_only_when_its_end_is_near(client, driver, ask):
    """Neutron binds anew when it is, which is not to be done idly."""
    long, short = ask("net0", "ovs1", "ovs"), ask("net0", "ovs1", "ovs", lease=1)
    answer = driver.bind(long)
    (before,) = driver.show(answer.vif.id).bindings
    assert driver.bind(short) == answer  # 600 s are left
    assert driver.show(answer.vif.id).bindings == (before,)
    driver.unbind(answer.vif.id, "ovs1")
    answer = driver.bind(short)
    assert driver.bind(long) == answer
    (after,) = driver.show(answer.vif.id).bindings
    assert after.lapses_at > time.time() + 500
    assert after.generation == answer.generation
