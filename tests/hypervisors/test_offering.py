# SPDX-License-Identifier: Apache-2.0
"""Offers: what becomes a candidate on this host, in which order, and what is withdrawn for which reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from stevedore import ExtensionManager

import os_vif
from os_vif.hypervisors import offering
from os_vif.loading.readiness import Lacking
from os_vif.negotiation.offer import BY_PLUGIN, Constraints
from support.parts import require_tun

TABLE = {
    "vhostuser": Constraints(guest_models=["virtio"]),
    "ovs": Constraints(device_by=[BY_PLUGIN]),
    "tap": Constraints(max_queues=8),
}

PLUGIN = """
from os_vif.host.state import HostState
from os_vif.objects.vif import VIFDirect, VIFGeneric
from os_vif.plugin import Plugin
from os_vif.plugins import describing


class Cable(Plugin):
    def describe(self):
        return describing.plugin_info("cable", {VIFGeneric: (), VIFDirect: ()})

    def desired_state(self, vif, instance_info):
        return HostState()
"""


@pytest.fixture
def switch(switch, options):
    """An Open vSwitch without DPDK, which the plugin is configured for."""
    options("os_vif_ovs", ovsdb_connection=switch.remote)
    return switch


@pytest.fixture
def no_switch(options):
    """The plugin is configured for a place where nobody listens."""
    options("os_vif_ovs", ovsdb_connection="unix:/nowhere/db.sock")


@pytest.fixture
def third_party(tmp_path, monkeypatch):
    """A plugin `cable` that takes VIFGeneric and VIFDirect, installed for this test."""
    metadata = tmp_path / "cable-1.0.dist-info"
    metadata.mkdir()
    (tmp_path / "cable_for_offering.py").write_text(PLUGIN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: cable\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[os_vif]\ncable = cable_for_offering:Cable\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with monkeypatch.context() as inside:
        inside.syspath_prepend(str(tmp_path))
        inside.setattr(ExtensionManager, "ENTRY_POINT_CACHE", {})
        os_vif.initialize(reset=True)
        yield
    os_vif.initialize(reset=True)


def candidates(offer):
    return [candidate.name for candidate in offer.candidates]


def withdrawn(offer):
    return {one.name: (one.code, one.reason) for one in offer.withdrawn}


def test_the_order_is_the_drivers_and_a_candidate_says_what_holds_for_it(switch, guest):
    """With the plugin, the class of VIF and its versions, as os_vif.host_info() tells them."""
    require_tun()
    offer = offering.offer("qemu 9.2", guest(), "host-1", TABLE, lease=60, migration_methods=["cold"])
    assert candidates(offer) == ["ovs", "tap"]
    ovs, tap = offer.candidates
    assert (ovs.plugin, ovs.vif.vif_object_name, ovs.vif.max_version) == ("ovs", "VIFOpenVSwitch", "1.0")
    assert [profile.max_version for profile in ovs.vif.supported_port_profiles] == ["1.4"]
    assert (ovs.constraints.device_by, tap.constraints.max_queues) == ([BY_PLUGIN], 8)
    assert (offer.host, offer.hypervisor, offer.lease, offer.migration_methods) == ("host-1", "qemu 9.2", 60, ["cold"])
    assert offer.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def test_a_later_offer_has_a_higher_generation(no_switch, guest):
    """Of one boot."""
    first = offering.offer("qemu", guest(), "host-1", TABLE)
    while (second := offering.offer("qemu", guest(), "host-1", TABLE)).generation == first.generation:
        pass
    assert second.generation > first.generation


def test_without_shared_memory_vhost_user_is_withdrawn(switch, guest):
    """Also where nobody found out whether it is shared."""
    for shared in (False, None):
        told = withdrawn(offering.offer("qemu", guest(shared_memory=shared), "host-1", TABLE))
        assert told == {
            "vhostuser": (
                "no-shared-memory",
                "the guest's memory is not shared with other processes, which vhost-user needs.",
            )
        }


def test_without_dpdk_vhost_user_is_withdrawn(switch, guest):
    """Open vSwitch itself is asked."""
    told = withdrawn(offering.offer("qemu", guest(shared_memory=True), "host-1", TABLE))
    assert told == {"vhostuser": ("no-dpdk", "Open vSwitch offers no vhost-user ports here: it runs without DPDK.")}


def test_where_open_vswitch_is_not_reached_all_of_it_is_withdrawn(no_switch, guest):
    """In the words of whoever refused."""
    offer = offering.offer("qemu", guest(shared_memory=True), "host-1", TABLE)
    reason = "Open vSwitch cannot be asked: unix:/nowhere/db.sock: No such file or directory."
    assert withdrawn(offer) == dict.fromkeys(("vhostuser", "ovs"), ("ovs-unreachable", reason))


def test_what_the_driver_knows_goes_first(no_switch, guest):
    """A guest may be unable to use what the host could plug."""
    unusable = {"tap": Lacking("no-vcpu", "the guest is made of paper.")}
    told = withdrawn(offering.offer("qemu", guest(), "host-1", TABLE, unusable=unusable))
    assert told["tap"] == ("no-vcpu", "the guest is made of paper.")


def test_plugins_of_third_parties_come_last(no_switch, third_party, guest):
    """Those whose class of VIF the hypervisor takes from anybody; named after plugin and class."""
    others = {"VIFGeneric": Constraints(max_queues=2)}
    offer = offering.offer("qemu", guest(), "host-1", {"tap": Constraints()}, others=others)
    assert [name for name in candidates(offer) if name != "tap"] == ["cable.vifgeneric"]
    assert offer.candidates[-1].plugin == "cable"
    assert offer.candidates[-1].constraints.max_queues == 2
