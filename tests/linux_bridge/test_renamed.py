# SPDX-License-Identifier: Apache-2.0
"""Devices that somebody renamed get their names back; none is made a second time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import os_vif
from os_vif import exception
from os_vif.loading import plugins
from os_vif.objects.network import Network
from os_vif.plugging import current
from os_vif.plugins.tap import TapPlugin
from support import vifs
from support.pinging import comes_to_reach, reaches
from support.plugging import configured

ONE, TWO = (vifs.bridge("br0", number=number, bridge_interface="eth9") for number in (1, 2))
INSIDE = vifs.generic("tap9", number=9, network=ONE.network)


@pytest.fixture
def api(new_host, wire, monkeypatch):
    """The public functions, on a host of the test's own."""
    host = new_host()
    os_vif.initialize()
    monkeypatch.setitem(plugins.plugins(), "linux_bridge", host.plugin)
    monkeypatch.setitem(plugins.plugins(), "tap", configured(TapPlugin))
    current.use(host.engine)
    yield host
    current.use(None)


@pytest.fixture
def guests(api, guest, new_netns):
    """One on the bridge, and a machine on the wire that leads out of it."""
    outside = new_netns()
    api.ns.ip("link", "set", "wire", "netns", outside.name)
    outside.ip("address", "add", "10.0.0.9/24", "dev", "wire")
    outside.ip("link", "set", "wire", "up")
    plug(api, ONE)
    plug(api, INSIDE)
    return guest("br0", "tap1", "10.0.0.1/24"), outside


def plug(host, vif):
    host.ns.inside(lambda: os_vif.plug(vif, vifs.INSTANCE))


def check(host, vif=ONE):
    return host.ns.inside(lambda: os_vif.check(vif, vifs.INSTANCE))


def repair(host, vif=ONE):
    return [step.text for step in host.ns.inside(lambda: os_vif.repair(vif, vifs.INSTANCE))]


def rename(namespace, name, to):
    namespace.ip("link", "set", name, "down")
    namespace.ip("link", "set", name, "name", to)
    namespace.ip("link", "set", to, "up")


RENAMED = {"the bridge": ("br0", ONE), "the uplink": ("eth9", ONE), "a tap": ("tap9", INSIDE)}


@pytest.mark.parametrize("what", RENAMED)
@pytest.mark.parametrize("mending", ["repair", "plug"])
def test_a_device_gets_its_name_back(api, guests, what, mending):
    """It is told what it is called now; and there are as many devices afterwards as there were."""
    name, vif = RENAMED[what]
    before = {link: api.ns.link(link)["ifindex"] for link in api.ns.link_names()}
    assert comes_to_reach(guests[0], "10.0.0.9")
    rename(api.ns, name, "other")
    found = check(api, vif)
    assert (found.state, found.differences, found.repairable) == ("differs", (f"{name} was renamed to other",), True)
    if mending == "repair":
        assert repair(api, vif)[0] == f"rename other back to {name}"
    else:
        plug(api, vif)
    assert {link: api.ns.link(link)["ifindex"] for link in api.ns.link_names()} == before
    assert check(api).state == check(api, INSIDE).state == "ok"
    assert comes_to_reach(guests[0], "10.0.0.9")


def test_who_comes_next_makes_no_second_bridge(api, guests, guest):
    """Though nothing of his own was renamed."""
    rename(api.ns, "br0", "other")
    plug(api, TWO)
    assert "other" not in api.ns.link_names()
    guest("br0", "tap2", "10.0.0.2/24")
    assert comes_to_reach(guests[0], "10.0.0.2")


def test_a_bridge_and_its_uplink_at_once(api, guests):
    """One after the other."""
    rename(api.ns, "br0", "other")
    rename(api.ns, "eth9", "another")
    assert check(api).differences == ("br0 was renamed to other", "eth9 was renamed to another")
    assert repair(api)[:2] == ["rename other back to br0", "rename another back to eth9"]
    assert check(api).state == "ok"
    assert comes_to_reach(guests[0], "10.0.0.9")


def test_a_name_that_was_given_away_is_refused(api, guests):
    """Whatever br0 is now, it is not the network's bridge: nothing is joined to it."""
    rename(api.ns, "br0", "other")
    api.ns.ip("link", "add", "br0", "type", "bridge")
    before = api.ns.snapshot()
    found = check(api)
    text = "bridge br0 was renamed to other, and another device has its name now."
    assert (found.state, found.repairable) == ("differs", False)
    assert text in found.differences[0]
    with pytest.raises(exception.PlugException, match=text):
        repair(api)
    assert api.ns.snapshot() == before


def test_what_was_renamed_is_unplugged_all_the_same(api, wire):
    """Nothing is left of it."""
    before = api.ns.link_names()
    plug(api, ONE)
    plug(api, INSIDE)
    rename(api.ns, "br0", "other")
    rename(api.ns, "tap9", "another")
    for vif in (INSIDE, ONE):
        api.ns.inside(lambda vif=vif: os_vif.unplug(vif, vifs.INSTANCE))
    assert api.ns.link_names() == before


def test_a_device_that_was_deleted_is_made_anew(api, guests):
    """It is not to be found under any name: by the next plug, or by a repair that is told to."""
    api.ns.ip("link", "delete", "tap9")
    assert check(api, INSIDE).gone
    assert api.plan(ONE) == []
    plug(api, INSIDE)
    assert check(api, INSIDE).state == "ok"


HOLD_OPEN = """
import fcntl, os, struct, sys, time
tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), 0x1002))
print("open", flush=True)
time.sleep(1000)
"""


@pytest.mark.parametrize("known_by", ["its address", "what the bridge has learned"])
def test_the_tap_of_a_guest_gets_its_name_back(api, guests, known_by):
    """A hypervisor holds it open, whatever it is called, and looks for it under its name."""
    plug(api, TWO)
    hypervisor = api.ns.popen([sys.executable, "-c", HOLD_OPEN, "tap2"], stdout=subprocess.PIPE)
    with hypervisor.stdout as output:
        assert output.readline() == "open\n"
    if known_by == "its address":
        api.ns.ip("link", "set", "tap2", "address", "fe:54:00:00:00:02")
    api.ns.ip("link", "set", "tap2", "mtu", str(api.ns.link("br0")["mtu"]), "master", "br0", "up")
    assert check(api, TWO).state == "ok"
    rename(api.ns, "tap2", "other")
    if known_by != "its address":
        api.ns.run(["bridge", "fdb", "add", TWO.address, "dev", "other", "master", "static"])
    assert check(api, TWO).differences == ("tap2 was renamed to other",)
    assert repair(api, TWO) == ["rename other back to tap2"]
    assert check(api, TWO).state == "ok"


def test_a_guest_that_runs_elsewhere_is_not_looked_for_among_uplinks(api, guests):
    """Its address is known at the interface that leads out: that is not its tap."""
    plug(api, TWO)
    api.ns.run(["bridge", "fdb", "add", TWO.address, "dev", "eth9", "master", "static"])
    assert check(api, TWO).state == "ok"
    assert repair(api, TWO) == []


def test_a_kernel_that_renames_nothing_that_is_up(vlans, api, guests):
    """Before Linux 6.2: what is not the host's way out goes down for a moment; else it is refused."""
    rename(api.ns, "br0", "other")
    assert repair(api)[0] == "rename other back to br0"
    assert "UP" in api.ns.link("br0")["flags"]
    rename(api.ns, "eth9", "another")
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 2):
        with pytest.raises(exception.PlugException, match="renames another only while it is down, and the host needs"):
            repair(api)
        assert check(api).differences == ("eth9 was renamed to another",)
    else:
        assert repair(api)[0] == "rename another back to eth9"
    assert not reaches(guests[0], "10.0.0.77")


def test_a_bridge_of_the_hosts_own_gets_its_name_back(api):
    """It is not os-vif's, and its taps are in it."""
    api.ns.ip("link", "add", "br9", "type", "bridge")
    vif = vifs.generic("tap9", number=9, network=Network(bridge="br9"))
    plug(api, vif)
    rename(api.ns, "br9", "other")
    assert check(api, vif).differences == ("br9 was renamed to other",)
    assert repair(api, vif) == ["rename other back to br9"]
    assert check(api, vif).state == "ok"


def test_a_device_that_has_the_number_by_chance_is_not_taken_for_it(api):
    """Numbers of devices that were deleted may come again, from other namespaces above all."""
    api.ns.ip("link", "add", "br9", "index", "777", "type", "bridge")
    vif = vifs.generic("tap9", number=9, network=Network(bridge="br9"))
    plug(api, vif)
    api.ns.ip("link", "delete", "br9")
    api.ns.ip("link", "add", "br9", "up", "type", "bridge")
    api.ns.ip("link", "add", "stranger", "index", "777", "type", "bridge")
    assert check(api, vif).differences[0] == "not done: set master of tap9 to br9 (was none)"
    assert repair(api, vif)
    assert check(api, vif).state == "ok"
    assert "stranger" in api.ns.link_names()
