# SPDX-License-Identifier: Apache-2.0
"""Records hold for one network namespace, from one boot to the next; one state directory serves all of them."""

from __future__ import annotations

import pytest

import os_vif
from engine.kinds import KINDS
from engine.places import FakePlace, KernelPlace
from os_vif.testing import FakeHost, fake_host
from support import vifs

TAP = KINDS["tap"].request()
BRIDGE = KINDS["bridge"].request()


def test_two_namespaces_one_state_directory(new_netns, tmp_path):
    """The same VIF in two namespaces: each has its own devices, and unplugging one leaves the other alone."""
    one, other = new_netns(), new_netns()
    place = KernelPlace(tmp_path)
    for namespace in (one, other):
        with namespace.enter():
            place.engine().plug([TAP])
    with one.enter():
        empty = {"lo"}
        place.engine().unplug([TAP])
        assert {link.name for link in place.host.all_links()} == empty
        assert place.collect_garbage() == []
    with other.enter():
        assert len(place.engine().plan([TAP])) == 0
        assert {link.name for link in place.host.all_links()} == {"lo", "br0", "tap0"}
        place.engine().unplug([TAP])
        assert {link.name for link in place.host.all_links()} == empty
    assert set(place.rows().values()) == {0}


def test_threads_in_different_namespaces_share_an_engine(new_netns, tmp_path):
    """One engine, two threads, each in a namespace of its own: each plugs where it is."""
    one, other = new_netns(), new_netns()
    place = KernelPlace(tmp_path)
    engine = place.engine()
    one.inside(lambda: engine.plug([TAP]))
    other.inside(lambda: engine.plug([BRIDGE]))
    names = [space.inside(lambda: {link.name for link in place.host.all_links()}) for space in (one, other)]
    assert names == [{"lo", "br0", "tap0"}, {"lo", "br0"}]


def test_a_reboot_makes_records_wishes(fake_place):
    """After a reboot nothing is taken for plugged; plugging again makes it, and no row of the old boot stays."""
    fake_place.engine().plug([TAP])
    plugged = fake_place.look()
    rows = fake_place.rows()
    for _ in range(3):
        fake_place.host.reboot()
        assert len(fake_place.engine().plan([TAP])) > 0
        fake_place.engine().plug([TAP])
        assert fake_place.look() == plugged
        assert fake_place.rows() == rows


def test_unplugging_after_a_reboot_forgets(fake_place):
    """A VIF whose guest did not come back after a reboot leaves no rows once it is unplugged."""
    fake_place.engine().plug([TAP])
    fake_place.host.reboot()
    fake_place.engine().unplug([TAP])
    assert set(fake_place.rows().values()) == {0}


@pytest.fixture
def rebooted(tmp_path) -> FakeHost:
    """A host on which two VIFs were plugged when it went down."""
    with fake_host(state=tmp_path) as host:
        host.somebody.add_nic("eth0", addresses=["192.0.2.5/24"])
        os_vif.plug(vifs.generic("tap1", number=1), vifs.INSTANCE)
        os_vif.plug(vifs.bridge("br0", number=2, bridge_interface="eth0"), vifs.INSTANCE)
    host.reboot()
    host.somebody.set("eth0", up=True)
    host.somebody.add_address("eth0", "192.0.2.5/24")
    return host


def test_restore_plugs_what_was_plugged(rebooted, tmp_path):
    """Each VIF is plugged as it was, once; restoring a second time does nothing, and unplugging works."""
    with fake_host(rebooted, state=tmp_path):
        assert [(r.vif_id, r.error) for r in os_vif.restore()] == [(vifs.identity(1), None), (vifs.identity(2), None)]
        assert rebooted.links["tap1"].up
        assert [address["shown"] for address in rebooted.links["br0"].addresses] == ["192.0.2.5/24"]
        assert list(os_vif.restore()) == []
        os_vif.unplug(vifs.bridge("br0", number=2, bridge_interface="eth0"), vifs.INSTANCE)
        assert [address["shown"] for address in rebooted.links["eth0"].addresses] == ["192.0.2.5/24"]
        assert "br0" not in rebooted.links


def test_restore_goes_on_after_a_failure(rebooted, tmp_path):
    """A VIF that cannot be plugged any more is reported with its error, and the others are plugged."""
    rebooted.somebody.add("tap1", "tun")
    with fake_host(rebooted, state=tmp_path):
        results = os_vif.restore()
        assert [bool(result.error) for result in results] == [True, False]
        assert "tap1" in str(results[0].error)
        assert rebooted.links["br0"].up


def test_restore_killed_is_resumed(rebooted, tmp_path):
    """A restore that was cut off goes on where it stopped."""
    with fake_host(rebooted, state=tmp_path):
        rebooted.fail_at("link.add", device="br0")
        assert [bool(result.error) for result in os_vif.restore()] == [False, True]
    with fake_host(rebooted, state=tmp_path):
        assert [(r.vif_id, r.error) for r in os_vif.restore()] == [(vifs.identity(2), None)]


def test_records_of_a_namespace_that_is_gone(fake_place: FakePlace):
    """A namespace other than the machine's own does not outlive a boot: its records are garbage after it."""
    with fake_place.host.inside("blue"):
        fake_place.engine().plug([TAP])
    fake_place.host.reboot()
    assert {finding.kind for finding in fake_place.collect_garbage()} == {"outdated"}
    assert set(fake_place.rows().values()) == {0}
