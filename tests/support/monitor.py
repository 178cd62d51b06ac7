# SPDX-License-Identifier: Apache-2.0
"""Watches what is written to a network namespace: every notification of rtnetlink and of nftables."""

from __future__ import annotations

import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TYPES = {
    16: "newlink", 17: "dellink", 20: "newaddr", 21: "deladdr", 24: "newroute", 25: "delroute",
    28: "newneigh", 29: "delneigh", 32: "newrule", 33: "delrule", 36: "newqdisc", 37: "delqdisc",
    40: "newtclass", 41: "deltclass", 44: "newtfilter", 45: "deltfilter", 68: "newnduseropt", 52: "newprefix",
    80: "newnetconf", 81: "delnetconf", 84: "newmdb", 85: "delmdb", 88: "newnsid", 92: "newstats",
    112: "newvlan", 113: "delvlan",
}  # fmt: skip
_NFTABLES = {
    0: "newtable",
    2: "deltable",
    3: "newchain",
    5: "delchain",
    6: "newrule",
    8: "delrule",
    15: "newgen",
}
_RTNETLINK_GROUPS = 40  # more than there are; joining one that is not there is refused, and that is that
_NETLINK_ADD_MEMBERSHIP, _SOL_NETLINK = 1, 270
_NETLINK_NETFILTER, _NFNLGRP_NFTABLES = 12, 7
_RTM_SETLINK, _IFLA_IFNAME, _IFLA_IFALIAS = 19, 3, 20
_HEADER = struct.Struct("=IHHII")
_IFINFO = struct.Struct("=BxHiII")


@dataclass(frozen=True)
class Event:
    """One notification: `kind` as in "newlink", `device` where it names one."""

    kind: str
    device: str = ""
    payload: bytes = b""

    def __str__(self) -> str:
        return f"{self.kind} {self.device}".rstrip()

    __repr__ = __str__


class Monitor:
    """Collects events from the moment it is made. Make it, and call it, inside the namespace it is to watch.

    `events` holds everything seen, but for neighbours, which the kernel learns and forgets by itself.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._names = dict(socket.if_nameindex())
        self._route = _listen(socket.NETLINK_ROUTE, range(1, _RTNETLINK_GROUPS))
        self._firewall = _listen(_NETLINK_NETFILTER, [_NFNLGRP_NFTABLES])
        self._count = 0

    def kinds(self) -> list[str]:
        """The events in short, for an assertion that reads well: ["newlink br0", ...]."""
        return [str(event) for event in self.events]

    def settle(self, quiet: float, at_most: float = 5.0) -> None:
        """Waits until nothing has happened for `quiet` seconds, and forgets all that happened."""
        deadline = time.monotonic() + at_most
        while time.monotonic() < deadline and (self._wait(quiet) or _addresses_pending()):
            self.collect()
        self.collect()
        self.events.clear()

    def collect(self) -> None:
        """Takes in what the kernel has sent so far. A mark of our own, sent last, shows that nothing is on its way."""
        self._count += 1
        mark = f"monitor-{os.getpid()}-{self._count}".encode()
        _set_loopback_alias(mark)
        _set_loopback_alias(b"")
        for event in self._read_route_until(mark):
            if "neigh" not in event.kind:
                self.events.append(event)
        self.events.extend(self._read_firewall())

    def close(self) -> None:
        self._route.close()
        self._firewall.close()

    def _wait(self, seconds: float) -> bool:
        return bool(select.select([self._route, self._firewall], [], [], seconds)[0])

    def _read_route_until(self, mark: bytes) -> Iterator[Event]:
        seen_mark = False
        while True:
            datagram = self._route.recv(1 << 20)
            for kind, body in _messages(datagram):
                event = self._event(kind, body)
                if event.kind == "newlink" and event.device == "lo":
                    alias = _attributes(body[_IFINFO.size :]).get(_IFLA_IFALIAS, b"").rstrip(b"\0")
                    if seen_mark:
                        return  # the second half of the mark: the alias is taken off again
                    if alias == mark:
                        seen_mark = True
                        continue
                yield event

    def _read_firewall(self) -> Iterator[Event]:
        while select.select([self._firewall], [], [], 0)[0]:
            for kind, body in _messages(self._firewall.recv(1 << 20)):
                yield Event("nft-" + _NFTABLES.get(kind & 0xFF, str(kind & 0xFF)), payload=body)

    def _event(self, kind: int, body: bytes) -> Event:
        name = _TYPES.get(kind, f"type-{kind}")
        device = ""
        if name in ("newlink", "dellink"):
            index = _IFINFO.unpack_from(body)[2]
            device = _attributes(body[_IFINFO.size :]).get(_IFLA_IFNAME, b"").rstrip(b"\0").decode()
            self._names[index] = device or self._names.get(index, "")
        elif name in ("newaddr", "deladdr"):
            device = self._names.get(struct.unpack_from("=BBBBI", body)[4], "")
        elif "neigh" in name or "qdisc" in name or "tfilter" in name or "tclass" in name:
            device = self._names.get(struct.unpack_from("=Bxxxi", body)[1], "")
        elif name in ("newroute", "delroute"):
            index = _attributes(body[12:]).get(4, b"\0\0\0\0")
            device = self._names.get(struct.unpack("=I", index)[0], "")
        return Event(name, device, body)


def _addresses_pending() -> bool:
    """Whether duplicate address detection is under way; its end is reported."""
    tentative, flags_column = 0x40, 4
    table = Path("/proc/thread-self/net/if_inet6")
    lines = table.read_text().splitlines() if table.exists() else []
    return any(int(line.split()[flags_column], 16) & tentative for line in lines)


def _listen(protocol: int, groups: range | list[int]) -> socket.socket:
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    sock.bind((0, 0))
    for group in groups:
        try:
            sock.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, group)
        except OSError:
            continue
    sock.settimeout(5)
    return sock


def _set_loopback_alias(alias: bytes) -> None:
    attribute = struct.pack("=HH", 4 + len(alias), _IFLA_IFALIAS) + alias
    attribute += b"\0" * (-len(attribute) % 4)
    body = _IFINFO.pack(socket.AF_UNSPEC, 0, 1, 0, 0) + attribute
    request_with_ack = 0x1 | 0x4
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.send(_HEADER.pack(_HEADER.size + len(body), _RTM_SETLINK, request_with_ack, 1, 0) + body)
        error = struct.unpack_from("=i", sock.recv(4096), _HEADER.size)[0]
    if error:
        raise OSError(-error, f"alias of lo: {os.strerror(-error)}")


def _messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _HEADER.size <= len(datagram):
        length, kind, *_ = _HEADER.unpack_from(datagram, at)
        yield kind, datagram[at + _HEADER.size : at + length]
        at += (length + 3) & ~3


def _attributes(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found
