# SPDX-License-Identifier: Apache-2.0
"""Which addresses ports get: none twice, none that is not to be had, and those that are wanted."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from os_vif import exception
from os_vif.networks.local import ports
from os_vif.testing import offers
from os_vif.testing.conformance.processes import start, wait

OFFER = offers.offer("bridge", "tap")


def _ips(side, **fields):
    return side.driver.show(side.bind(OFFER, **fields).vif.id).ip_addresses


def test_processes_share_a_pool_to_the_last_address(side, tmp_path):
    """Each takes what it can get: all are given, none twice, and then nobody gets one."""
    side.create(cidrs=["192.0.2.0/24"], pools=["192.0.2.10-192.0.2.49"])

    def take(paper):
        side.driver = side.new_driver()
        mine = []
        try:
            while True:
                mine.append(_ips(side)[0])
        except exception.NoAddressLeft:
            paper.write_text(json.dumps(mine))

    papers = [tmp_path / str(number) for number in range(4)]
    children = [start(lambda paper=paper: take(paper)) for paper in papers]
    assert [wait(child) for child in children] == [0] * 4
    taken = [address for paper in papers for address in json.loads(paper.read_text())]
    assert sorted(taken) == [f"192.0.2.{number}" for number in range(10, 50)]


def test_one_address_of_each_family(side):
    """The gateway's and the network's own are nobody's."""
    side.create(cidrs=["192.0.2.0/30", "fd00:77::/64"], gateways=["192.0.2.1"])
    assert _ips(side) == ("192.0.2.2", "fd00:77::1")
    with pytest.raises(exception.NoAddressLeft, match=r"Subnet 192\.0\.2\.0/30 of network blue has no free address\."):
        side.bind(OFFER)
    assert len(side.manager.ports()) == 1


def test_the_next_subnet_when_one_is_full(side):
    """In the order in which they were given."""
    side.create(cidrs=["192.0.2.0/31", "198.51.100.0/24"])
    assert [_ips(side)[0] for _ in range(3)] == ["192.0.2.0", "192.0.2.1", "198.51.100.1"]


def test_without_subnets_there_are_macs(side):
    """Of the kind that is known for virtual machines."""
    side.create(cidrs=[])
    answer = side.bind(OFFER)
    assert answer.vif.address.startswith("52:54:00:")
    assert side.driver.show(answer.vif.id).ip_addresses == ()


def test_what_was_freed_is_given_last(side):
    """Neighbours may still know it by who had it."""
    side.create(cidrs=["192.0.2.0/29"])
    first = side.bind(OFFER).vif
    side.driver.unbind(first.id, "host-a")
    assert [_ips(side)[0][-1] for _ in range(6)] == ["2", "3", "4", "5", "6", "1"]


def test_what_was_just_freed_rests_while_others_are_free(side, monkeypatch):
    """Also when its turn comes; where all are resting, the one that has rested longest is given. Later any will do."""
    side.create(cidrs=["192.0.2.0/29"], pools=["192.0.2.1-192.0.2.4"])
    one, two, three, _ = (side.bind(OFFER).vif for _ in range(4))
    now = time.time()
    for seconds, vif in ((1, two), (2, three), (3, one)):
        monkeypatch.setattr("time.time", lambda seconds=seconds: now + seconds)
        side.driver.unbind(vif.id, "host-a")
    assert _ips(side) == ("192.0.2.2",)
    assert _ips(side, ip_addresses=["192.0.2.1"]) == ("192.0.2.1",)
    assert _ips(side) == ("192.0.2.3",)
    with pytest.raises(exception.NoAddressLeft):
        side.bind(OFFER)


def test_after_ten_minutes_an_address_has_rested(side, monkeypatch):
    """And is given in its turn."""
    side.create(cidrs=["192.0.2.0/29"], pools=["192.0.2.1-192.0.2.3"])
    first, _ = side.bind(OFFER).vif, side.bind(OFFER).vif
    now = time.time()
    side.driver.unbind(first.id, "host-a")
    third = side.bind(OFFER).vif
    monkeypatch.setattr("time.time", lambda: now + 300)
    side.driver.unbind(third.id, "host-a")
    monkeypatch.setattr("time.time", lambda: now + 601)
    assert _ips(side) == ("192.0.2.1",)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("10.0.0.1", "10.0.0.1 is in no subnet of network blue; there are: 192.0.2.0/24."),
        ("192.0.2.0", "192.0.2.0 is an address of 192.0.2.0/24 that no port can have."),
        ("192.0.2.255", "192.0.2.255 is an address of 192.0.2.0/24 that no port can have."),
        ("192.0.2.1", "192.0.2.1 is the address of the gateway, the DHCP server or this host in network blue."),
    ],
)
def test_what_nobody_can_have_is_refused(side, wanted, message):
    """Nothing is left of the port."""
    side.create(gateways=["192.0.2.1"])
    with pytest.raises(exception.NetworkConflict) as caught:
        side.bind(OFFER, ip_addresses=["192.0.2.9", wanted])
    assert str(caught.value) == message
    assert side.manager.ports() == []
    assert _ips(side, ip_addresses=["192.0.2.9"]) == ("192.0.2.9",)


def test_a_wanted_address_may_be_outside_the_pool(side):
    """The pool is what is given to those who want none."""
    side.create(pools=["192.0.2.100-192.0.2.110"])
    assert _ips(side, ip_addresses=["192.0.2.9"]) == ("192.0.2.9",)
    assert _ips(side) == ("192.0.2.100",)


def test_a_multicast_mac_is_refused(side):
    """No device can have it."""
    side.create()
    with pytest.raises(exception.InvalidRequest, match="mac_address: 53:54:00:00:00:01 is a multicast address"):
        side.bind(OFFER, mac_address="53:54:00:00:00:01")


def test_networks_do_not_know_each_others_addresses(side):
    """They are networks of their own, also with the same subnet."""
    side.create("blue")
    side.create("red", force=True)
    both = {"mac_address": "52:54:00:00:00:07", "ip_addresses": ["192.0.2.7"]}
    assert _ips(side, network="blue", **both) == _ips(side, network="red", **both) == ("192.0.2.7",)


def test_killed_in_the_middle_it_has_taken_nothing(side, monkeypatch):
    """The address is there for the next."""
    side.create()
    monkeypatch.setattr(ports, "put_binding", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    child = start(lambda: side.new_driver().bind(side.request(OFFER)))
    assert wait(child) == -signal.SIGKILL
    monkeypatch.undo()
    assert side.manager.ports() == []
    assert _ips(side) == ("192.0.2.1",)
