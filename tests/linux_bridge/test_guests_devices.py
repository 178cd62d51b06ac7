# SPDX-License-Identifier: Apache-2.0
"""The device that a hypervisor has made for a VIF: checking tells what is wrong with it, repairing mends it."""

from __future__ import annotations

import pytest

import os_vif
from os_vif.loading import plugins
from os_vif.plugging import current
from support import vifs

VIF = vifs.bridge("br0", mtu=1450)
TAP = VIF.vif_name


@pytest.fixture
def api(new_host, monkeypatch):
    """The public functions, on a host of the test's own."""
    host = new_host()
    os_vif.initialize()
    monkeypatch.setitem(plugins.plugins(), "linux_bridge", host.plugin)
    current.use(host.engine)
    yield host
    current.use(None)


@pytest.fixture
def guest(api):
    """A plugged VIF whose guest runs: a device of the hypervisor's, in its bridge."""
    api.plug(VIF)
    api.ns.ip("link", "add", TAP, "mtu", "1450", "type", "veth", "peer", "name", "inside", "mtu", "1450")
    api.ns.ip("link", "set", TAP, "master", "br0", "up")
    api.ns.ip("link", "set", "inside", "up")
    return api


def check(host):
    return host.ns.inside(lambda: os_vif.check(VIF, vifs.INSTANCE))


def repair(host):
    return [step.text for step in host.ns.inside(lambda: os_vif.repair(VIF, vifs.INSTANCE))]


BREAKAGES = {
    "out of its bridge": (["nomaster"], f"set master of {TAP} to br0 (was none)"),
    "down": (["down"], f"bring {TAP} up"),
    "another MTU": (["mtu", "1400"], f"set mtu of {TAP} to 1450 (was 1400)"),
}


def test_before_the_guest_starts_nothing_is_missed(api):
    """Its device comes with it."""
    api.plug(VIF)
    assert check(api).ok
    assert repair(api) == []


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_what_is_wrong_is_told_and_mended(guest, breakage):
    """A guest that is cut off is not ok."""
    assert check(guest).ok
    arguments, text = BREAKAGES[breakage]
    guest.ns.ip("link", "set", TAP, *arguments)
    found = check(guest)
    assert (found.differences[0], found.repairable) == (f"not done: {text}", True)
    assert repair(guest)[0] == text
    assert check(guest).ok
    assert guest.ns.link(TAP)["master"] == "br0"


def test_one_in_another_bridge_is_told_and_left(guest):
    """Somebody has put it there: who, and why, has to be found out first."""
    guest.ns.ip("link", "add", "br9", "type", "bridge")
    guest.ns.ip("link", "set", TAP, "master", "br9")
    found = check(guest)
    assert (len(found.differences), found.repairable) == (1, False)
    assert f"{TAP} is a port of br9 already." in found.differences[0]


def test_it_stays_the_hypervisors(guest):
    """Neither plugging anew nor unplugging touches it, though it was mended."""
    guest.ns.ip("link", "set", TAP, "nomaster")
    repair(guest)
    assert guest.plan(VIF) == []
    guest.unplug(VIF)
    assert TAP in guest.ns.link_names()
    assert guest.engine.journal.records() == []


@pytest.mark.parametrize("order", [(1500, 1450), (1450, 1500)])
def test_different_mtus_on_one_network_settle(api, wire, order):
    """Whoever is plugged last: the interface that leads out has the larger."""
    pair = [
        vifs.bridge("br0", number=number, bridge_interface=wire, mtu=mtu) for number, mtu in enumerate(order, start=1)
    ]
    for vif in pair:
        api.plug(vif)
    for vif in pair:
        assert api.plan(vif) == []
    assert api.ns.link(wire)["mtu"] == 1500
    api.ns.ip("link", "set", wire, "mtu", "1400")
    api.plug(pair[0])
    assert [api.plan(vif) for vif in pair] == [[], []]
    assert api.ns.link(wire)["mtu"] == 1500
