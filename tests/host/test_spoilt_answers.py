# SPDX-License-Identifier: Apache-2.0
"""Answers of the kernel that end too early, or are not what they should be: one error, and nobody hangs."""

from __future__ import annotations

import contextlib
import errno
import random

import pytest

from os_vif.host.kernel import addresses, bridge_ports, neighbour_table, netlink, rtnetlink, surroundings
from os_vif.host.kernel.netlink import Conversation, KernelError

FURNITURE = (
    ("link", "add", "br0", "type", "bridge"),
    ("link", "add", "va", "type", "veth", "peer", "name", "vb"),
    ("link", "set", "va", "master", "br0", "up", "alias", "some words"),
    ("link", "set", "vb", "up"),
    ("link", "set", "br0", "up"),
    ("address", "add", "192.0.2.1/24", "dev", "br0"),
    ("-6", "address", "add", "2001:db8::1/64", "dev", "br0", "nodad"),
    ("route", "add", "198.51.100.0/24", "via", "192.0.2.2", "metric", "7"),
    ("-6", "route", "add", "2001:db8:1::/48", "via", "2001:db8::2"),
    ("neigh", "add", "192.0.2.9", "lladdr", "52:54:00:00:00:01", "dev", "br0"),
)


@pytest.fixture
def reading(netns):
    """What is read of a namespace, and how; called inside of it."""
    for command in FURNITURE:
        netns.ip(*command)
    with netns.enter():
        index = rtnetlink.index_of("br0")

        def read() -> None:
            rtnetlink.get_link("br0")
            rtnetlink.all_links()
            addresses.addresses_of(index)
            addresses.routes_via(index)
            addresses.rules_naming("br0")
            neighbour_table.static_on(index)
            neighbour_table.is_known(index, "192.0.2.9")
            surroundings.all_held()
            bridge_ports.read_vlans(index)
            bridge_ports.read_port(rtnetlink.index_of("va"))

        yield read


def spoilt(monkeypatch, spoil):
    """From now on answers are what ``spoil`` makes of them."""
    ask = Conversation.ask

    def ask_and_spoil(self, *arguments):
        return [spoil(body) for body in ask(self, *arguments)]

    monkeypatch.setattr(Conversation, "ask", ask_and_spoil)


def test_they_are_read(reading):
    """Where nothing is spoilt."""
    reading()


@pytest.mark.parametrize("kept", [0, 1, 3, 4, 7, 8, 11, 12, 15, 16, 17, 18, 20, 23, 30, 41, 57])
def test_cut_off(reading, monkeypatch, kept):
    """After so many bytes, or without so many of the last."""
    spoilt(monkeypatch, lambda body: body[:kept])
    with pytest.raises(KernelError) as caught:
        reading()
    assert (caught.value.errno, str(caught.value)) == (errno.EBADMSG, "the kernel's answer is cut short")
    monkeypatch.undo()
    spoilt(monkeypatch, lambda body: body[: len(body) - kept])
    with contextlib.suppress(KernelError):
        reading()


def test_any_bytes(reading, monkeypatch):
    """Nothing but a KernelError comes of them."""
    chance = random.Random(1)

    def spoil(body: bytes) -> bytes:
        changed = bytearray(body)
        for _ in range(chance.randint(0, 3)):
            if changed:
                changed[chance.randrange(len(changed))] = chance.choice((0, 1, 4, 127, 255, chance.randrange(256)))
        return bytes(changed)

    spoilt(monkeypatch, spoil)
    for _ in range(1500):
        with contextlib.suppress(KernelError):
            reading()


@pytest.mark.parametrize("length", [0, 1, 15, 1 << 20])
def test_a_message_of_another_length(length):
    """It would never end, or go on beyond what there is."""
    with pytest.raises(KernelError, match="cut short"):
        list(netlink._messages(netlink._HEADER.pack(length, 3, 0, 1, 0) + bytes(4)))
