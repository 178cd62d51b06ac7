# SPDX-License-Identifier: Apache-2.0
"""The Open vSwitch bridge of a network goes with it, unless somebody else made it, or has something on it."""

from __future__ import annotations

import pytest

from support.commanded import Host


@pytest.fixture
def host(netns, tmp_path):
    """A host with an Open vSwitch."""
    with Host("one", netns, tmp_path) as made:
        yield made


def bridges(host):
    return set(host.switch.rows("Bridge"))


def test_it_goes_with_the_network(host, new_netns):
    """It came with the first guest, and stayed without guests."""
    host.vif("network", "create", "blue", "--cidr", "10.0.0.0/24", "--switch", "ovs")
    guest = ("guest", "--network", "blue")
    made = host.vif("attach", *guest, "--hypervisor", "netns", "--endpoint", new_netns().name)
    assert made["binding"] == "ovs"
    host.vif("detach", *guest)
    assert len(bridges(host)) == 1
    host.vif("network", "delete", "blue")
    assert bridges(host) == set()


@pytest.mark.parametrize("theirs", ["bridge", "port"])
def test_what_is_somebody_elses_stays(host, new_netns, theirs):
    """A bridge that was there before, and one that somebody has put a port on."""
    if theirs == "bridge":
        host.switch.vsctl("add-br", "br-theirs", "--", "set", "Bridge", "br-theirs", "datapath_type=netdev")
    create = ("network", "create", "blue", "--cidr", "10.0.0.0/24", "--switch", "ovs", "--bridge", "br-theirs")
    host.vif(*create)
    guest = ("guest", "--network", "blue")
    host.vif("attach", *guest, "--hypervisor", "netns", "--endpoint", new_netns().name)
    if theirs == "port":
        host.switch.vsctl("add-port", "br-theirs", "p", "--", "set", "Interface", "p", "type=internal")
    host.vif("detach", *guest)
    host.vif("network", "delete", "blue")
    assert bridges(host) == {"br-theirs"}


def test_a_network_that_no_guest_ever_had(host):
    """There is nothing to remove, also where no Open vSwitch runs any more."""
    host.vif("network", "create", "blue", "--cidr", "10.0.0.0/24", "--switch", "ovs")
    host.switch.stop("ovsdb-server")
    assert host.vif("network", "delete", "blue")["deleted"] == "blue"
