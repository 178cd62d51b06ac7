# SPDX-License-Identifier: Apache-2.0
"""What is particular to the driver `local`: its database, its switches, and when a port is in the way."""

from __future__ import annotations

import sqlite3
from types import SimpleNamespace

import pytest

from os_vif import exception
from os_vif.loading import drivers
from os_vif.networks.driver import ACTIVE
from os_vif.networks.local.driver import LocalDriver
from os_vif.plugging import current
from os_vif.testing import fake_host, offers

OFFER = offers.offer("bridge", "tap")


def test_it_is_loaded_by_its_name():
    """With its options."""
    driver = drivers.load(drivers.NETWORKS, "local")
    assert isinstance(driver, LocalDriver)
    assert driver.config.ovs_datapath_type == "system"


def test_the_database_is_beside_the_journal(tmp_path):
    """Without an option that says otherwise."""
    before = current.in_use()
    current.use(None)
    try:
        driver = LocalDriver("local", SimpleNamespace(database=None))
        assert driver.database.path == tmp_path / "state" / "networks.db"
        assert driver.find("nobody") is None
    finally:
        current.use(before)


def test_without_a_place_it_is_unavailable():
    """It cannot do without, as plugging can."""
    driver = LocalDriver("local", SimpleNamespace(database=None))
    with fake_host(), pytest.raises(exception.NetworkUnavailable, match="there is no state directory") as caught:
        driver.find("nobody")
    assert "OS_VIF_STATE_DIR" in caught.value.hint


def test_a_newer_database_is_left_alone(side):
    """The error says who has written it, and what to do."""
    side.create()
    path = side.driver.database.path
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(exception.NetworkUnavailable) as caught:
        side.new_driver().find("nobody")
    assert str(caught.value) == (
        f"local: {path}: it was written by a newer os-vif (format 2; the newest known here is 1)."
    )
    assert caught.value.hint == (
        "Upgrade os-vif on this host, or name another file in [os_vif_network_local] database."
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"this is not a database, and long enough", "{path}: file is not a database."),
        (None, "{path} is not used: it belongs to root (mode 0755): it is no ordinary file."),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path, content, words):
    """SQLite's own words, and which file; it is left as it was."""
    path = tmp_path / "networks.db"
    path.write_bytes(content) if content else path.mkdir()
    with pytest.raises(exception.NetworkUnavailable) as caught:
        LocalDriver("local", SimpleNamespace(database=str(path))).find("nobody")
    assert str(caught.value) == f"local: {words.format(path=path)}"
    assert content is None or path.read_bytes() == content


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("UPDATE subnet SET cidr = 'nonsense'", "'nonsense' does not appear to be an IPv4 or IPv6 network"),
        ("UPDATE subnet SET latest = x'ff'", "latest is b'\\xff'"),
        ("UPDATE subnet SET first = CAST(x'ff' AS TEXT)", "'\ufffd' does not appear to be an IPv4 or IPv6 address"),
        ("UPDATE network SET mtu = 'large'", "mtu is 'large'"),
        ("UPDATE network SET switch = 'rope'", "switch is 'rope'"),
    ],
)
def test_one_damaged_network_keeps_no_other(side, caplog, damage, words):
    """It is named, and why it cannot be read; ports of it can go, and the others are used."""
    side.create()
    port = side.bind(offers.offer("bridge")).vif.id
    path = side.driver.database.path
    with sqlite3.connect(path) as database:
        database.execute(damage)
    database.close()
    side.create("green", cidrs=["198.51.100.0/24"])
    assert [network.name for network in side.manager.networks()] == ["green"]
    assert f"the record of network blue in {path} cannot be read: {words}." in caplog.text
    with pytest.raises(exception.NetworkUnavailable, match="the record of network blue in"):
        side.bind(offers.offer("bridge"), key="another")
    assert [one.port_id for one in side.manager.ports()] == [port]
    side.driver.unbind(port, "host-a")
    assert side.manager.ports() == []
    assert side.bind(offers.offer("bridge"), network="green").vif.address


@pytest.mark.parametrize("damage", ["generation = 'x'", "status = 'x'", "lapses_at = 'soon'", "lapses_at = 1e300"])
def test_a_damaged_binding_counts_as_none(side, caplog, damage):
    """The port is bound anew, or goes."""
    side.create()
    port = side.bind(OFFER, key="a").vif.id
    with sqlite3.connect(side.driver.database.path) as database:
        database.execute(f"UPDATE binding SET {damage}")
    database.close()
    assert [(one.port_id, one.bindings) for one in side.manager.ports()] == [(port, ())]
    assert f"The binding of port {port} to host host-a cannot be read, and counts as none: " in caplog.text
    assert side.bind(OFFER, key="a").vif.id == port
    (binding,) = side.driver.show(port).bindings
    assert binding.host == "host-a"


@pytest.mark.parametrize("damage", ["mac = 'x'", "id = x'00'", "key = x'00'"])
def test_a_damaged_port_keeps_no_other(side, caplog, damage):
    """It is told of."""
    side.create()
    first, second = (side.bind(OFFER, key=key).vif.id for key in ("a", "b"))
    with sqlite3.connect(side.driver.database.path) as database:
        database.execute("PRAGMA foreign_keys = off")
        database.execute(f"UPDATE port SET {damage} WHERE id = ?", (first,))
    database.close()
    assert [one.port_id for one in side.manager.ports()] == [second]
    assert "local: the record of port " in caplog.text


def test_bound_elsewhere_a_port_is_not_taken(side):
    """Unless nobody has activated that binding in time: whoever asked for it is gone."""
    side.create()
    answer = side.bind(OFFER, key="a")
    there = offers.offer("bridge", host="host-b")
    with pytest.raises(exception.NetworkConflict) as caught:
        side.bind(there, key="a")
    assert str(caught.value) == f"Port {answer.vif.id} is bound to host-a."
    assert caught.value.hint == "Unbind it there first, or ask for a second binding, to migrate."
    side.bind(offers.offer("tap", lease=-1), key="a")
    moved = side.bind(there, key="a")
    (binding,) = side.driver.show(moved.vif.id).bindings
    assert (moved.vif.id, binding.host, binding.status) == (answer.vif.id, "host-b", ACTIVE)


def test_a_port_stays_in_its_network(side):
    """Its key, and its id, stand for it; whoever says another network means something else."""
    side.create("blue")
    side.create("red", force=True)
    port_id = side.bind(OFFER, key="a").vif.id
    for asked in ({"key": "a"}, {"key": "b", "port_id": port_id}):
        with pytest.raises(exception.NetworkConflict) as caught:
            side.bind(OFFER, network="red", **asked)
        assert str(caught.value) == f"Port {port_id} is of network blue; red is asked for."


def test_a_port_keeps_its_addresses(side):
    """Asking for others is a conflict; asking for those it has is not."""
    side.create()
    vif = side.bind(OFFER, key="a").vif
    with pytest.raises(exception.NetworkConflict) as caught:
        side.bind(OFFER, key="a", ip_addresses=["192.0.2.7"])
    assert str(caught.value) == (f"Port {vif.id} has the addresses {vif.address}, 192.0.2.1; others are asked for.")
    assert side.bind(OFFER, key="a", ip_addresses=["192.0.2.1"]).vif.id == vif.id


@pytest.mark.parametrize(
    ("switch", "types", "reason"),
    [
        ("linux_bridge", ("ovs", "ovs-hybrid", "vhostuser"), "The network is switched by a Linux bridge."),
        ("ovs", ("bridge", "tap"), "The network is switched by Open vSwitch."),
    ],
)
def test_types_of_the_other_switch_are_refused_with_the_reason(side, switch, types, reason):
    """What the network is switched by."""
    side.create(switch=switch)
    with pytest.raises(exception.BindingRefused) as caught:
        side.bind(offers.offer(*types))
    assert [(refusal.candidate, refusal.reason) for refusal in caught.value.refusals] == [
        (one, reason) for one in types
    ]


def test_without_dpdk_there_is_no_vhost_user(side):
    """The reason names the options."""
    side.create(switch="ovs")
    answer = side.bind(offers.offer("vhostuser", "ovs"))
    assert answer.choice == "ovs"
    assert answer.refusals[0].reason == (
        "Open vSwitch does not run with DPDK here ([os_vif_network_local] ovs_datapath_type and ovs_dpdk)."
    )


def test_a_port_that_needs_hardware_is_refused(side):
    """The reason says so, whatever was offered."""
    side.create()
    with pytest.raises(exception.BindingRefused) as caught:
        side.bind(OFFER, vnic_type="direct")
    reason = "The port is to be direct; networks of this driver have normal ports only."
    assert [refusal.reason for refusal in caught.value.refusals] == [reason, reason]


def test_which_offer_it_was_does_not_matter(side):
    """A hypervisor that was restarted, and offers the same, gets the same answer, and more time."""
    side.create()
    first = side.bind(offers.offer("bridge", lease=10), key="a")
    again = offers.offer("bridge", lease=1000)
    again.boot_id, again.generation = "two", 7
    lapses_at = side.driver.show(first.vif.id).bindings[0].lapses_at
    assert side.bind(again, key="a") == first
    assert side.driver.show(first.vif.id).bindings[0].lapses_at > lapses_at + 900
