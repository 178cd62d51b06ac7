# SPDX-License-Identifier: Apache-2.0
"""Names of devices are those that Nova, Neutron and earlier releases came to."""

from __future__ import annotations

import pytest

from os_vif.plugins import names

PORT = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (names.tap, "tap0f1e2d3c-4b"),
        (names.fallback, "nic0f1e2d3c-4b"),
        (names.hybrid_bridge, "qbr0f1e2d3c-4b"),
        (names.hybrid_bridge_end, "qvb0f1e2d3c-4b"),
        (names.hybrid_switch_end, "qvo0f1e2d3c-4b"),
        (names.vhost_user, "vhu0f1e2d3c-4b"),
        (names.network_bridge, "brq0f1e2d3c-4b"),
        (names.port_bridge, "pb0f1e2d3c-4b5"),
        (names.dpdk_representor, "vfr0f1e2d3c-4b"),
        (names.port_bridge_patch, f"pbp{PORT}"),
        (names.integration_bridge_patch, f"ibp{PORT}"),
    ],
)
def test_a_name_is_a_prefix_and_the_beginning_of_the_id(name, expected):
    """Devices have 14 characters; patch ports, which only Open vSwitch knows, have the whole id."""
    assert name(PORT) == expected


def test_patch_ports_are_cut_to_64_characters():
    """Ids need not be UUIDs, and Open vSwitch takes names of any length."""
    assert names.port_bridge_patch("x" * 100) == "pbp" + "x" * 61


def test_vlan_devices_are_called_after_their_number():
    """From the lowest to the highest number, the kernel takes the name."""
    assert [names.vlan(1), names.vlan(4094)] == ["vlan1", "vlan4094"]


def test_chains_have_room_for_the_longest_name_of_a_bridge():
    """iptables takes 28 characters; the kernel's longest device name has 15."""
    assert names.forwarding_chain("b" * 15) == "os-vif-" + "b" * 15
    assert len(names.forwarding_chain("b" * 15)) <= 28
