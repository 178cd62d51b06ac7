# SPDX-License-Identifier: Apache-2.0
"""Without a journal the marks on devices still prove what is ours."""

from __future__ import annotations

import copy
import fcntl
import os
import shutil
import struct
import subprocess

import pytest

from engine.kinds import KINDS
from engine.places import FakePlace, Place
from os_vif import exception
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.orphans import Claims
from os_vif.host.engine.request import Request
from os_vif.host.journal import identity
from os_vif.host.journal.journal import Journal
from os_vif.host.journal.locks import Locks
from os_vif.host.state import Bridge, ForwardingRules, HostState, Tap, Veth, VethPeer
from os_vif.host.state.mark_form import DEVICE_GROUP
from os_vif.testing.fake.addresses import address

#: linux/if_tun.h
TUNSETIFF, IFF_TAP_NO_PI = 0x400454CA, 0x1002


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
        assert {finding.kind for finding in found} <= {"orphan"}
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
        [Operation("link.set", {"name": "mvt9", "group": DEVICE_GROUP}), Operation("link.delete", {"name": "mvt9"})], ""
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


def test_a_bridge_of_two_journals(place):
    """Each plugs into it without taking it from the other, and leaves it when its own last VIF has gone."""
    other = beside(place)
    homes_of = [identity.of_journal(str(one.state / "journal.db")) for one in (place, other)]
    place.engine().plug([guest(1, BRIDGE)])
    other.engine().plug([guest(2, BRIDGE)])
    assert alias(place, "br0") == f"os-vif {homes_of[0]} {homes_of[1]}"
    assert [len(one.engine().plug([guest(n, BRIDGE)])) for n, one in ((1, place), (2, other))] == [0, 0]
    set_link(place, "tap1", master="")
    plan = other.engine().unplug([guest(2, BRIDGE)])
    assert plan.notes == (f"bridge br0 stays: journal {homes_of[0]} needs it too",)
    assert (other.collect_garbage(), set(other.rows().values())) == ([], {0})
    assert alias(place, "br0") == f"os-vif {homes_of[0]}"
    place.engine().unplug([guest(1, BRIDGE)])
    assert devices(place) == ["lo"]


@pytest.mark.parametrize("first", [0, 1])
def test_what_belongs_to_a_bridge_of_two_journals(place, first):
    """Its forwarding rules stay for as long as VIFs of either are there, whoever leaves first, and whoever collects."""
    services = [place, beside(place)]
    rules = ForwardingRules(family="ipv4", chain="os-vif-br0", rules=("-i br0 -j ACCEPT",), shared=True)
    requests = [Request(f"vif-{n}", "some", HostState((BRIDGE, rules)), "os_vif.privsep") for n in range(2)]
    for service, request in zip(services, requests, strict=True):
        service.engine().plug([request])
    before = place.firewall()
    services[first].engine().unplug([requests[first]])
    assert [one.collect_garbage() for one in services] == [[], []]
    assert (place.firewall(), devices(place)) == (before, ["br0", "lo"])
    assert len(services[1 - first].engine().plug([requests[1 - first]])) == 0
    services[1 - first].engine().unplug([requests[1 - first]])
    assert devices(place) == ["lo"]
    assert not place.firewall()


def test_rules_that_only_one_of_our_vifs_needs(place):
    """Our other VIF on the bridge has none, and one of another journal may: they stay until both have gone."""
    other = beside(place)
    rules = ForwardingRules(family="ipv4", chain="os-vif-br0", rules=("-i br0 -j ACCEPT",), shared=True)
    with_rules = Request("vif-1", "some", HostState((BRIDGE, rules)), "os_vif.privsep")
    place.engine().plug([with_rules, guest(2, BRIDGE)])
    other.engine().plug([guest(3, BRIDGE, rules)])
    place.engine().unplug([with_rules])
    assert place.collect_garbage() == []
    assert len(other.engine().plug([guest(3, BRIDGE, rules)])) == 0
    other.engine().unplug([guest(3, BRIDGE, rules)])
    place.engine().unplug([guest(2, BRIDGE)])
    assert [(one.what, one.removed) for one in place.collect_garbage()] == [("ipv4 chain os-vif-br0", True)]
    assert devices(place) == ["lo"]
    assert not place.firewall()


def test_more_journals_than_an_alias_can_name(place):
    """Then nobody takes the bridge away without being told to."""
    services = [place, *(beside(place, f"service-{number}") for number in range(12))]
    for number, service in enumerate(services):
        service.engine().plug([guest(number, BRIDGE)])
    assert len(alias(place, "br0").encode()) <= 255
    for number, service in enumerate(services):
        assert len(service.engine().plug([guest(number, BRIDGE)])) == 0
    for number, service in enumerate(services):
        service.engine().unplug([guest(number, BRIDGE)])
    assert devices(place) == ["br0", "lo"]


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
    home = identity.of_journal(str(other.state / "journal.db"))
    (other.state / "journal.db").touch()
    place.host.run([Operation("tap.add", {"name": "tap1"}), Operation("tap.add", {"name": "tap2"})], "")
    collector = place.collector()
    found = collector.find(orphans=True)
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


def hold_open(place, name):
    """As a hypervisor does that runs a guest; returns what to call when it ends."""
    if isinstance(place, FakePlace):
        place.host.links[name].held_open = True
        return lambda: setattr(place.host.links[name], "held_open", False)
    file = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP_NO_PI))
    return lambda: os.close(file)


def left(place, **options):
    """What a process that has just started would leave, and why."""
    return {one.what: one.left for one in place.collector().find(**options) if one.left}


@pytest.mark.parametrize("up", [True, False])
def test_a_guest_that_runs_keeps_its_devices(place, up):
    """A tap that a process holds open is no garbage, up or down, nor what it is connected to; that of nobody is."""
    place.engine().plug([guest(1, BRIDGE), guest(2, BRIDGE)])
    set_link(place, "tap1", up=up)
    place.lose_journal()
    let_go = hold_open(place, "tap1")
    assert left(place, orphans=True) == {
        "tap tap1": "it is in use: a process holds it open",
        "bridge br0": "it is in use: tap1 is a port of it",
    }
    assert [one.what for one in place.collect_garbage()] == ["tap tap2"]
    assert devices(place) == ["br0", "lo", "tap1"]
    let_go()
    assert [one.what for one in place.collect_garbage()] == ["tap tap1", "bridge br0"]
    assert devices(place) == ["lo"]


def test_a_guest_that_starts_meanwhile_keeps_its_tap(place):
    """Between the look and the removal."""
    place.engine().plug([guest(1)])
    place.lose_journal()
    collector = place.collector()
    (found,) = collector.find(orphans=True)
    let_go = hold_open(place, "tap1")
    assert not collector.remove(found).removed
    assert devices(place) == ["lo", "tap1"]
    let_go()


def test_nothing_goes_without_being_asked_for(place):
    """That no record tells of it is no proof; what names this journal has been lost by it."""
    place.engine().plug([guest(1, BRIDGE)])
    place.lose_journal()
    before = place.look()
    found = place.collector().find()
    unasked = "only --orphans removes what no record tells of"
    assert [(one.what, one.left, one.lost) for one in found] == [
        ("tap tap1", unasked, True),
        ("bridge br0", unasked, True),
    ]
    assert [place.collector().remove(one).removed for one in found] == [False, False]
    assert place.look() == before
    assert [one.what for one in place.collector().lost()] == ["tap tap1", "bridge br0"]


def test_what_is_to_be_kept(place):
    """By its id, which the mark names; and what is shared, which the kept may need."""
    place.engine().plug([guest(1, BRIDGE), guest(2, BRIDGE)])
    place.lose_journal()
    assert left(place, keep={"vif-1"}, orphans=True) == {
        "tap tap1": "its VIF is to be kept",
        "bridge br0": "bridge br0 still has port tap1",
    }
    assert "bridge br0" in left(place, keep={"vif-1", "vif-3"}, orphans=True)


def test_what_others_claim(place):
    """Attachments and networks tell of VIFs and bridges; and when they cannot be asked, nothing is certain."""
    place.engine().plug([guest(1, BRIDGE), guest(2, BRIDGE)])
    place.lose_journal()
    claims = Claims(vifs={"vif-1": "guest web is attached by it"}, devices={"br0": "network blue has it"})
    assert left(place, orphans=True, claims=lambda: claims) == {
        "tap tap1": "guest web is attached by it",
        "bridge br0": "network blue has it",
    }
    unknown = Claims(problem="attachments.db cannot be read")
    assert set(left(place, orphans=True, claims=lambda: unknown).values()) == {"attachments.db cannot be read"}


def test_a_veth_into_another_namespace_is_in_use(kernel_place, new_netns):
    """A container has the other end."""
    pair = Request("vif-1", "some", HostState((Veth(name="v0", peer="v1"), VethPeer(name="v1", peer="v0"))), "")
    kernel_place.engine().plug([pair])
    kernel_place.lose_journal()
    subprocess.run(["ip", "link", "set", "v1", "netns", new_netns().name], check=True)
    assert left(kernel_place, orphans=True) == {
        "veth v0": "it is in use: its other end is in another network namespace"
    }


def test_a_bridge_with_an_address_is_in_use(place):
    """Somebody has put it there: the host, or a DHCP server."""
    place.engine().plug([Request("vif-1", "some", HostState((BRIDGE,)), "os_vif.privsep")])
    place.lose_journal()
    place.host.run([Operation("address.add", {"name": "br0", "address": address("192.0.2.5/24")})], "")
    assert left(place, orphans=True) == {"bridge br0": "it is in use: it has addresses"}


@pytest.mark.parametrize(
    "text",
    ["os-vif", "os-vif notes", "os-vif-notes", "os-vif: do not touch", "os-vif:notes", "os-vif /etc/notes", "OS-VIF",
     "os-vif /etc/notes of br0@fd00.2 and more", "on os-vif:vif-1 /var/lib/os-vif/journal.db@fd00.2"],
)  # fmt: skip
def test_text_that_looks_like_a_mark(place, text):
    """Somebody's device, whatever he has written on it: neither garbage, nor deleted by anybody."""
    place.host.run([Operation("tap.add", {"name": "tap1"})], "")
    set_link(place, "tap1", alias=text, group=0)
    assert place.collector().find(orphans=True) == []
    with pytest.raises(exception.ForeignDevice):
        place.engine().plug([guest(1)])
    with pytest.raises(OperationFailed, match="is not marked as made by os-vif"):
        place.host.run([Operation("link.delete", {"name": "tap1"})], "")
    assert devices(place) == ["lo", "tap1"]


def test_a_mark_without_the_group(place):
    """An alias that names a journal in full is proof by itself."""
    place.engine().plug([guest(1)])
    set_link(place, "tap1", group=0)
    place.lose_journal()
    assert [one.removed for one in place.collect_garbage()] == [True]


def test_our_device_with_a_text_of_somebody_else(place):
    """It is still ours to unplug, and no orphan: whoever wrote that has come to care for it."""
    place.engine().plug([guest(1), guest(2)])
    for name in ("tap1", "tap2"):
        set_link(place, name, alias="os-vif notes")
    place.engine().unplug([guest(1)])
    place.lose_journal()
    assert place.collector().find(orphans=True) == []
    assert devices(place) == ["lo", "tap2"]
