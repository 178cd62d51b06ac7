# SPDX-License-Identifier: Apache-2.0
"""Without a journal the marks on devices still prove what is ours."""

from __future__ import annotations

import copy
import shutil

import pytest

from engine.kinds import KINDS
from engine.places import Place
from os_vif.host import homes
from os_vif.host.engine import Engine
from os_vif.host.journal import Journal
from os_vif.host.locks import Locks
from os_vif.host.operations import Operation
from os_vif.host.request import Request
from os_vif.host.state import Bridge, HostState, Tap, Veth, VethPeer


def devices(place: Place) -> list[str]:
    return sorted(link.name for link in place.host.all_links())


def set_link(place: Place, name: str, **values: object) -> None:
    place.host.run([Operation("link.set", {"name": name, **values})], "")


def alias(place: Place, name: str) -> str:
    return place.host.get_link(name).alias


def beside(place: Place, name: str = "elsewhere") -> Place:
    """The same host, to a service with a state directory of its own."""
    other = copy.copy(place)
    other.state = place.state.parent / name
    other.state.mkdir(parents=True)
    return other


def guest(number: int, *more: object) -> Request:
    """A VIF with a tap of its own."""
    resources = (*more, Tap(name=f"tap{number}", master=more[0].name if more else None))
    return Request(f"vif-{number}", "some", HostState(resources), "os_vif.privsep")


BRIDGE = Bridge(name="br0", shared=True)


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


def test_devices_of_another_journal_are_spared(place):
    """For as long as that is there; who is given another state directory takes over what is plugged again."""
    other = beside(place)
    pair = Request("vif-3", "some", HostState((Veth(name="v0", peer="v1"), VethPeer(name="v1", peer="v0"))), "")
    place.engine().plug([guest(1), guest(2)])
    other.engine().plug([guest(2), pair])
    before = place.look()
    assert (place.collect_garbage(), other.collect_garbage()) == ([], [])
    assert place.look() == before
    place.lose_journal()
    assert [finding.what for finding in place.collect_garbage()] == ["tap tap1"]
    shutil.rmtree(other.state)
    assert [finding.removed for finding in place.collect_garbage()] == [True, True]
    assert devices(place) == ["lo"]


def test_a_bridge_belongs_to_the_first_of_two_journals(place):
    """The other one plugs into it without a word, and leaves it when its own VIFs have gone."""
    other = beside(place)
    place.engine().plug([guest(1, BRIDGE)])
    before = alias(place, "br0")
    other.engine().plug([guest(2, BRIDGE)])
    assert [len(one.engine().plug([guest(n, BRIDGE)])) for n, one in ((1, place), (2, other))] == [0, 0]
    set_link(place, "tap1", master="")
    plan = other.engine().unplug([guest(2, BRIDGE)])
    assert plan.notes == (f"bridge br0 stays: journal {before.partition(' ')[2]} answers for it",)
    assert other.collect_garbage() == []
    assert alias(place, "br0") == before
    place.engine().unplug([guest(1, BRIDGE)])
    assert devices(place) == ["lo"]
    assert [finding.removed for finding in other.collect_garbage()] == [True]
    assert set(other.rows().values()) == {0}


def test_marks_of_an_earlier_form(place):
    """They name no journal. What bears them is garbage where no record tells of it, and a plug completes them."""
    place.engine().plug([guest(1, BRIDGE)])
    whole = alias(place, "br0"), alias(place, "tap1")
    for name, mark in (("br0", "os-vif"), ("tap1", "os-vif:vif-1")):
        set_link(place, name, alias=mark)
    assert place.collect_garbage() == []
    assert len(place.engine().plug([guest(1, BRIDGE)])) == 2
    assert (alias(place, "br0"), alias(place, "tap1")) == whole
    for name, mark in (("br0", "os-vif"), ("tap1", "os-vif:vif-1")):
        set_link(place, name, alias=mark)
    place.lose_journal()
    assert [finding.vif_id for finding in place.collect_garbage()] == ["vif-1", ""]
    assert devices(place) == ["lo"]


@pytest.mark.parametrize("depth", [1, 3])
def test_a_long_path(place, depth):
    """An alias has 255 bytes; whose device it is is known in any case."""
    other = beside(place, "/".join(["d" * 100] * depth))
    other.engine().plug([guest(1)])
    assert len(alias(place, "tap1").encode()) <= 255
    assert len(other.engine().plug([guest(1)])) == 0
    assert place.collect_garbage() == []
    other.lose_journal()
    assert [finding.what for finding in other.collect_garbage()] == ["tap tap1"]


def test_the_same_path_below_another_root(place):
    """A container's journal is another file, or the same one: its devices are spared, and nothing is written twice."""
    place.engine().plug([guest(1)])
    path = str(place.state / "journal.db")
    set_link(place, "tap1", alias=f"os-vif:vif-1 {path}@0.1")
    assert len(place.engine().plug([guest(1)])) == 0
    place.lose_journal()
    assert place.collect_garbage() == []
    assert devices(place) == ["lo", "tap1"]


def test_without_a_journal_of_its_own(place):
    """A process that can write nowhere leaves the mark of a journal as it is."""
    place.engine().plug([guest(1, BRIDGE)])
    assert len(Engine(place.host, Journal(":memory:"), Locks(None)).plug([guest(1, BRIDGE)])) == 0


def test_a_device_that_is_being_made_elsewhere(place):
    """It is in our group before its alias tells whose it is, and then it is nobody's garbage."""
    other = beside(place)
    home = homes.of_journal(str(other.state / "journal.db"))
    (other.state / "journal.db").touch()
    place.host.run([Operation("tap.add", {"name": "tap1"}), Operation("tap.add", {"name": "tap2"})], "")
    collector = place.collector()
    found = collector.find()
    set_link(place, "tap1", alias=f"os-vif:vif-1 {home}")
    assert [collector.remove(finding).removed for finding in found] == [False, True]
    assert devices(place) == ["lo", "tap1"]


def test_a_device_of_another_vif(place):
    """Names are cut short, so two VIFs may want the same one: unplugging the one that lost leaves the other's."""
    place.engine().plug([guest(1)])
    before = place.look()
    request = Request("vif-2", "some", guest(1).desired, "os_vif.privsep")
    place.engine().unplug([request])
    assert place.look() == before
