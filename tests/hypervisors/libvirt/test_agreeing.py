# SPDX-License-Identifier: Apache-2.0
"""The whole way, by the command: a network, an offer, a binding, a guest of a real libvirt that runs, and back."""

from __future__ import annotations

import json

import pytest

from support.vif_command import command

CONFIGURATION = """
[os_vif_ovs]
ovsdb_connection = {database}
[os_vif_network_local]
ovs_datapath_type = netdev
[os_vif_hypervisor_libvirt]
uri = {uri}
"""

KINDS = {"blue": "linux_bridge", "green": "ovs"}


@pytest.fixture
def vif(libvirtd, switch, ns, tmp_path):
    """Runs the command where libvirt is: vif("attach", "one", "--network", "blue"); returns what it answers."""
    configuration = tmp_path / "os-vif.conf"
    configuration.write_text(CONFIGURATION.format(database=switch.remote, uri=libvirtd.uri))

    def run(*arguments):
        more = ["--config-file", configuration, "--output", "json"]
        printed = ns.run([command(), *arguments, *more]).stdout
        return json.loads(printed) if printed.strip() else None

    return run


def test_running_guests_are_attached_and_reach_each_other(vif, libvirtd, ns):
    """On a Linux bridge and on Open vSwitch: of what libvirt offers, what the network can provide.

    Attaching again changes nothing, and after detaching nothing is left.
    """
    for number, (name, switched_by) in enumerate(KINDS.items(), 1):
        vif("network", "create", name, "--cidr", f"10.0.{number}.0/24", "--switch", switched_by)
    with libvirtd.guest("one") as one, libvirtd.guest("two") as two:
        one.wait()
        two.wait()
        addresses = {guest.name: [attach(vif, guest, network) for network in KINDS] for guest in (one, two)}
        for number in range(len(KINDS)):
            assert one.reaches(addresses["two"][number])
        given = libvirtd.virsh("dumpxml", "one")
        assert [given.count(f"<interface type='{kind}'>") for kind in ("bridge", "ethernet")] == [1, 1]
        assert [attach(vif, one, network) for network in KINDS] == addresses["one"]
        assert libvirtd.virsh("dumpxml", "one") == given
        for guest in (one, two):
            for network in KINDS:
                vif("detach", guest.name, "--uuid", guest.uuid, "--network", network)
            assert "<interface" not in libvirtd.virsh("dumpxml", guest.name)
            assert guest.cards() == set()
    assert not [name for name in ns.link_names() if name.startswith(("tap", "brq"))]
    assert vif("list") == []
    assert vif("network", "ports") == []


def attach(vif, guest, network):
    """Attaches a guest that runs, sets in it the address that its card has been given, and returns that."""
    words = ("attach", guest.name, "--uuid", guest.uuid, "--network", network, "--hypervisor", "libvirt", "--hot")
    answer = vif(*words)
    [address] = answer["ip_addresses"]
    guest.configure(answer["mac_address"], address)
    return address.partition("/")[0]
