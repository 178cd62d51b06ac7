# SPDX-License-Identifier: Apache-2.0
"""Plugged silently a VIF is all there, and its guest's devices are down; plugged again it is as it should be."""

from __future__ import annotations

import pytest

import os_vif
from os_vif import exception
from os_vif.objects.network import Network
from os_vif.plugging import current
from os_vif.plugins.tap import TapPlugin
from support import plugging, vifs
from support.parts import require_tun

VIF = vifs.generic(network=Network(bridge="br9", should_provide_bridge=True))


@pytest.fixture
def host(netns, tmp_path):
    """A namespace that the library itself plugs into."""
    require_tun()
    os_vif.initialize()
    host = plugging.PlugHost(netns, tmp_path, plugging.configured(TapPlugin))
    current.use(host.engine)
    yield host
    current.use(None)


def is_up(host, name):
    return "UP" in host.ns.link(name)["flags"]


def test_a_silent_tap_is_in_its_bridge_and_down(host):
    host.ns.inside(lambda: os_vif.plug(VIF, vifs.INSTANCE, silent=True))
    assert host.ns.link("tap1")["master"] == "br9"
    assert (is_up(host, "tap1"), is_up(host, "br9")) == (False, True)
    host.ns.inside(lambda: os_vif.plug(VIF, vifs.INSTANCE))
    assert is_up(host, "tap1")


def test_plugged_silently_twice_nothing_is_written(host):
    host.ns.inside(lambda: os_vif.plug(VIF, vifs.INSTANCE, silent=True))
    with host.ns.monitor() as monitor:
        host.ns.inside(lambda: os_vif.plug(VIF, vifs.INSTANCE, silent=True))
    assert monitor.events == []


def test_unplugged_while_silent_nothing_is_left(host):
    before = host.ns.snapshot()
    host.ns.inside(lambda: os_vif.plug(VIF, vifs.INSTANCE, silent=True))
    host.ns.inside(lambda: os_vif.unplug(VIF, vifs.INSTANCE))
    assert host.ns.snapshot() == before


def test_checked_and_repaired_it_stays_silent(host):
    """Whoever looks after the host need not know that a guest is still to come."""
    host.ns.inside(lambda: os_vif.plug(VIF, vifs.INSTANCE, silent=True))
    assert host.ns.inside(lambda: os_vif.check(VIF, vifs.INSTANCE)).ok
    host.ns.ip("link", "set", "br9", "down")
    assert host.ns.inside(lambda: os_vif.check(VIF, vifs.INSTANCE)).differences == ("not done: bring br9 up",)
    assert [step.text for step in host.ns.inside(lambda: os_vif.repair(VIF, vifs.INSTANCE))] == ["bring br9 up"]
    assert (is_up(host, "tap1"), is_up(host, "br9")) == (False, True)
    host.ns.inside(lambda: os_vif.plug(VIF, vifs.INSTANCE))
    assert host.ns.inside(lambda: os_vif.repair(VIF, vifs.INSTANCE)).steps == ()
    host.ns.ip("link", "set", "tap1", "down")
    assert not host.ns.inside(lambda: os_vif.check(VIF, vifs.INSTANCE)).ok


def test_restored_after_a_reboot_it_stays_silent(host, monkeypatch):
    host.ns.inside(lambda: os_vif.plug(VIF, vifs.INSTANCE, silent=True))
    for name in ("tap1", "br9"):
        host.ns.ip("link", "del", name)
    monkeypatch.setattr(host.engine.host, "boot_id", lambda: "the next boot")
    (restored,) = host.ns.inside(os_vif.restore)
    assert restored.error is None
    assert (is_up(host, "tap1"), is_up(host, "br9")) == (False, True)


def test_a_plugin_that_does_its_work_itself_cannot_be_silent(host, monkeypatch):
    from os_vif.loading import plugins

    class Imperative:
        pass

    monkeypatch.setitem(plugins.plugins(), "tap", Imperative())
    with pytest.raises(exception.PlugException, match="does its work itself"):
        host.ns.inside(lambda: os_vif.plug(VIF, vifs.INSTANCE, silent=True))
    assert host.ns.link("tap1") is None
