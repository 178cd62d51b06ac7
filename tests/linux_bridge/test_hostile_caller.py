# SPDX-License-Identifier: Apache-2.0
"""A caller of the privileged helper that was taken over gets no more from it than plugging and unplugging take."""

from __future__ import annotations

import pytest

from os_vif.host import kernel
from os_vif.host.mark_form import DEVICE_GROUP
from os_vif.testing.fake.layer3 import address, route

HOSTS = {"name": "eth0"}
CHAIN = {"family": "ipv4", "chain": "os-vif-br0"}

#: Operation, arguments: each on its own.
ABUSES = {
    "delete the host's interface": ("link.delete", HOSTS),
    "mark it as ours": ("link.set", HOSTS | {"alias": "os-vif"}),
    "mark it as ours in full": ("link.set", HOSTS | {"alias": "os-vif:x /var/lib/os-vif/journal.db@fd00.2"}),
    "put it into our group": ("link.set", HOSTS | {"group": DEVICE_GROUP}),
    "take it down": ("link.set", HOSTS | {"up": False}),
    "give it another MAC address": ("link.set", HOSTS | {"mac": "02:00:00:00:00:99"}),
    "rename it": ("link.set", HOSTS | {"new_name": "x"}),
    "move it into a namespace": ("link.set", HOSTS | {"namespace": 1}),
    "make a kind of device that is never made": ("link.add", {"name": "d0", "kind": "dummy"}),
    "make a tunnel": ("link.add", {"name": "t0", "kind": "vxlan", "options": {"id": 1}}),
    "give a bridge another option": ("link.add", {"name": "b0", "kind": "bridge", "options": {"group_fwd_mask": 8}}),
    "make a device with a pattern for a name": ("link.add", {"name": "b%d", "kind": "bridge"}),
    "make a tap for a user that is none": ("tap.add", {"name": "t0", "owner": 2**70}),
    "forward for the whole host": ("sysctl.set", {"name": "all", "family": "ipv4", "key": "forwarding", "value": "1"}),
    "forward by default": ("sysctl.set", {"name": "default", "family": "ipv4", "key": "forwarding", "value": "1"}),
    "forward on the host's interface": ("sysctl.set", HOSTS | {"family": "ipv4", "key": "forwarding", "value": "1"}),
    "answer for others on it": ("sysctl.set", HOSTS | {"family": "ipv4", "key": "proxy_arp", "value": "1"}),
    "write elsewhere": ("sysctl.set", {"name": "../..", "family": "ipv4", "key": "forwarding", "value": "1"}),
    "write elsewhere by a line break": (
        "sysctl.set",
        HOSTS | {"name": "eth0\n", "family": "ipv4", "key": "arp_ignore", "value": "1"},
    ),
    "set what is not on the list": ("sysctl.set", HOSTS | {"family": "ipv4", "key": "bootp_relay", "value": "1"}),
    "give the host an address": ("address.add", HOSTS | {"address": address("192.0.2.66/24")}),
    "give the loopback device an address": ("address.add", {"name": "lo", "address": address("8.8.8.8/32")}),
    "take the host's address": ("address.delete", HOSTS | {"address": address("192.0.2.5/24")}),
    "lead the host's traffic elsewhere": ("route.add", HOSTS | {"route": route("0.0.0.0/1", "192.0.2.66")}),
    "take the host's route": ("route.delete", HOSTS | {"route": route("default", "192.0.2.1")}),
    "accept everything": ("firewall.set", CHAIN | {"rules": ["-j ACCEPT"]}),
    "accept for another interface": ("firewall.set", CHAIN | {"rules": ["-i eth0 -j ACCEPT"]}),
    "accept with a match of its own": ("firewall.set", CHAIN | {"rules": ["-i br0 -m owner --uid-owner 0 -j ACCEPT"]}),
    "write into another table": ("firewall.set", CHAIN | {"rules": ["-i br0 -j ACCEPT\nCOMMIT\n*nat"]}),
    "accept for interfaces by a pattern": (
        "firewall.set",
        {"family": "ipv4", "chain": "os-vif-e+", "rules": ["-i e+ -j ACCEPT"]},
    ),
    "write a chain of others": ("firewall.set", {"family": "ipv4", "chain": "INPUT", "rules": []}),
    "delete a chain of others": ("firewall.delete", {"family": "ipv4", "chain": "FORWARD"}),
    "keep it busy with a pattern": ("firewall.set", CHAIN | {"rules": [], "below": "(a|a)*$x"}),
    "keep it busy with a long pattern": ("firewall.set", CHAIN | {"rules": [], "below": "a" * 201}),
    "keep it busy with repetitions": ("firewall.set", CHAIN | {"rules": [], "below": ".*.*.*.*.*x"}),
    "have it wait": ("neighbour.probe", HOSTS | {"address": "192.0.2.77", "seconds": 10**9}),
    "call what is not there": ("os.system", {"command": "id"}),
    "say nothing": ("link.set", None),
    "say it wrong": ("link.set", {"device": "eth0"}),
    "say too much": ("link.set", HOSTS | {"mtu": 2**70}),
}


@pytest.fixture
def host(netns):
    """A host on the network, with an address, a route, and a rule of its own."""
    netns.ip("link", "add", "eth0", "type", "veth", "peer", "name", "far0")
    for name in ("eth0", "far0"):
        netns.ip("link", "set", name, "up")
    netns.ip("address", "add", "192.0.2.5/24", "dev", "eth0")
    netns.ip("route", "add", "default", "via", "192.0.2.1")
    netns.run(["iptables", "-A", "FORWARD", "-m", "comment", "--comment", "a" * 26, "-j", "DROP"])
    return netns


@pytest.mark.parametrize("abuse", ABUSES)
def test_it_is_refused_and_nothing_is_changed(host, abuse):
    """With a reason, and soon."""
    before = host.snapshot()
    done, number, words = host.inside(lambda: kernel.run([ABUSES[abuse]]))
    assert (done, number != 0) == (0, True)
    assert words
    assert host.snapshot() == before


@pytest.mark.parametrize("operations", [["ab"], [["link.set"]], [5], [None], [[["x"], {}]]])
def test_what_is_no_operation_is_refused(host, operations):
    """Whatever it is."""
    assert host.inside(lambda: kernel.run(operations))[:2] == (0, 22)
