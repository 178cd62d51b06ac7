# SPDX-License-Identifier: Apache-2.0
"""Without a journal the marks on devices still prove what is ours."""

from __future__ import annotations

import pytest

from engine.kinds import KINDS
from engine.places import Place
from os_vif.host.operations import Operation


def devices(place: Place) -> list[str]:
    return sorted(link.name for link in place.host.all_links())


#: What bears no mark of its own: addresses, and chains, which go with the bridge they belong to.
UNMARKED = ("addresses moved", "forwarding rules")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in UNMARKED], indirect=True)
def test_killed_and_the_journal_lost(place, kind):
    """Whatever step a plug was killed at, garbage collection goes by the marks and leaves no device of ours."""
    place.prepare(kind)
    before = devices(place)
    steps = place.steps(lambda engine: engine.plug([kind.request()]))
    place.engine().unplug([kind.request()])
    for number in range(1, steps + 1):
        place.dies(lambda engine: engine.plug([kind.request()]), "after", number)
        place.lose_journal()
        found = place.collect_garbage()
        assert {finding.kind for finding in found} <= {"stray"}
        assert devices(place) == before, f"after step {number}"
        assert place.collect_garbage() == []
        if "eth0" in before:
            place.host.run([Operation("link.set", {"name": "eth0", "mtu": 1500})], "")


def test_unplugged_without_a_record(place, kind):
    """What the VIF states, and the marks on it, are enough to unplug it."""
    place.prepare(kind)
    before = devices(place)
    place.engine().plug([kind.request()])
    place.lose_journal()
    place.engine().unplug([kind.request()])
    assert devices(place) == before
    assert set(place.rows().values()) == {0}


def test_plugged_again_without_a_record(place, kind):
    """A re-plug takes over what is there, writes nothing to the host, and unplug works from the new record."""
    place.prepare(kind)
    before = devices(place)
    place.engine().plug([kind.request()])
    plugged = place.look()
    place.lose_journal()
    assert len(place.engine().plug([kind.request()])) == 0
    assert place.look() == plugged
    place.engine().unplug([kind.request()])
    assert devices(place) == before


def test_somebody_elses_devices_are_never_garbage(place):
    """Devices without our mark stay, though their names are those that we would use."""
    foreign = {"group": 0}
    place.host.run(
        [
            Operation("link.add", {"name": "br0", "kind": "bridge"}),
            Operation("tap.add", {"name": "tap0"}),
            Operation("link.set", {"name": "br0", **foreign}),
            Operation("link.set", {"name": "tap0", **foreign, "alias": "not os-vif"}),
        ],
        "",
    )
    assert place.collect_garbage() == []
    assert devices(place) == ["br0", "lo", "tap0"]


def test_a_bridge_with_a_foreign_port_is_no_garbage(place):
    """A bridge of ours that nobody needs stays as long as somebody else has a port on it, and goes afterwards."""
    request = KINDS["bridge"].request()
    place.engine().plug([request])
    place.host.run([Operation("tap.add", {"name": "guest"}), Operation("link.set", {"name": "guest", "group": 0})], "")
    place.host.run([Operation("link.set", {"name": "guest", "master": "br0"})], "")
    place.engine().unplug([request])
    assert place.collect_garbage() == []
    assert "br0" in devices(place)
    place.host.run([Operation("link.set", {"name": "guest", "master": ""})], "")
    assert [finding.removed for finding in place.collect_garbage()] == [True]
    assert devices(place) == ["guest", "lo"]
    assert set(place.rows().values()) == {0}


@pytest.mark.parametrize("what", ["unplugged", "collected"])
def test_a_bridge_below_a_foreign_device_stays(place, what):
    """Somebody's macvtap on a bridge of ours would be deleted with it: the bridge stays, and goes after the macvtap."""
    request = KINDS["bridge"].request()
    place.engine().plug([request])
    above = {"name": "mvt9", "kind": "macvtap", "parent": "br0", "options": {"mode": "bridge"}}
    place.host.run([Operation("link.add", above), Operation("link.set", {"name": "mvt9", "group": 0})], "")
    if what == "collected":
        place.lose_journal()
        assert place.collect_garbage() == []
    else:
        plan = place.engine().unplug([request])
        assert "mvt9 is on top of br0" in str(plan)
    assert devices(place) == ["br0", "lo", "mvt9"]
    place.host.run(
        [Operation("link.set", {"name": "mvt9", "alias": "os-vif:9"}), Operation("link.delete", {"name": "mvt9"})], ""
    )
    assert [finding.removed for finding in place.collect_garbage()] == [True]
    assert devices(place) == ["lo"]


def test_strays_upon_strays(fake_place):
    """A macvtap on a VLAN device on a bridge, all ours and all forgotten: they go in one collection, top first."""
    run = fake_place.host.run
    run(
        [
            Operation("link.add", {"name": "br0", "kind": "bridge"}),
            Operation("link.add", {"name": "vlan7", "kind": "vlan", "parent": "br0", "options": {"vlan_id": 7}}),
            Operation("link.add", {"name": "mvt0", "kind": "macvtap", "parent": "vlan7"}),
        ],
        "",
    )
    assert [finding.what for finding in fake_place.collect_garbage()] == ["macvtap mvt0", "vlan vlan7", "bridge br0"]
    assert devices(fake_place) == ["lo"]
