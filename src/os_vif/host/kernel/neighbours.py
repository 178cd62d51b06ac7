# SPDX-License-Identifier: Apache-2.0
"""Talking to the neighbours on a device: whether somebody has an address, and that somebody has one from now on.

By packet sockets, so that the host needs no address there. ARP: RFC 826, and RFC 5227 for probes and announcements;
IPv6: unsolicited neighbour advertisements, RFC 4861, section 7.2.6.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from os_vif.host.kernel import rtnetlink

Address = IPv4Address | IPv6Address

_ARP, _IPV6 = 0x0806, 0x86DD
_REQUEST, _REPLY = 1, 2
_TO_ALL = b"\xff" * 6

_ICMPV6, _NEIGHBOUR_ADVERTISEMENT, _TARGET_LINK_LAYER = 58, 136, 2
_OVERRIDE = 1 << 29
_ALL_NODES, _MAC_OF_ALL_NODES = IPv6Address("ff02::1"), bytes.fromhex("333300000001")
_HOP_LIMIT = 255

_PROBES, _SECONDS_BETWEEN = 3, 0.2


def announce(device: str, mac: str, addresses: Iterable[Address]) -> None:
    """Tells all on a device that whoever has a MAC address has these addresses from now on. Raises OSError."""
    hardware = _packed(mac)
    with _socket(device) as wire:
        for address in addresses:
            wire.send(_announcement(hardware, address))


def answers(device: str, address: Address) -> bool:
    """Whether somebody on a device has an IPv4 address; takes half a second if not. Raises OSError."""
    link = rtnetlink.get_link(device)
    if link is None or not link.up or link.mac is None:
        return False
    probe = _arp(_packed(link.mac), _REQUEST, bytes(4), bytes(6), address.packed)
    with _socket(device) as wire:
        for _ in range(_PROBES):
            wire.send(probe)
            if _is_answered(wire, address):
                return True
    return False


def _is_answered(wire: socket.socket, address: Address) -> bool:
    end = time.monotonic() + _SECONDS_BETWEEN
    while (left := end - time.monotonic()) > 0:
        if select.select([wire], [], [], left)[0]:
            frame = wire.recv(1 << 16)
            if frame[12:14] == struct.pack("!H", _ARP) and frame[28:32] == address.packed:
                return True
    return False


def _socket(device: str) -> socket.socket:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ARP))
    try:
        wire.bind((device, _ARP))
    except BaseException:
        wire.close()
        raise
    return wire


def _announcement(mac: bytes, address: Address) -> bytes:
    if isinstance(address, IPv6Address):
        return _advertisement(mac, address)
    return _arp(mac, _REQUEST, address.packed, bytes(6), address.packed)


def _arp(sender: bytes, operation: int, sender_ip: bytes, target: bytes, target_ip: bytes) -> bytes:
    """For Ethernet and IPv4, to everybody."""
    ethernet = _TO_ALL + sender + struct.pack("!H", _ARP)
    return ethernet + struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + sender + sender_ip + target + target_ip


def _advertisement(mac: bytes, address: IPv6Address) -> bytes:
    option = struct.pack("!BB", _TARGET_LINK_LAYER, 1) + mac
    body = struct.pack("!I", _OVERRIDE) + address.packed + option
    message = struct.pack("!BBH", _NEIGHBOUR_ADVERTISEMENT, 0, 0) + body
    pseudo = address.packed + _ALL_NODES.packed + struct.pack("!II", len(message), _ICMPV6)
    message = struct.pack("!BBH", _NEIGHBOUR_ADVERTISEMENT, 0, _checksum(pseudo + message)) + body
    header = struct.pack("!IHBB", 6 << 28, len(message), _ICMPV6, _HOP_LIMIT) + address.packed + _ALL_NODES.packed
    return _MAC_OF_ALL_NODES + mac + struct.pack("!H", _IPV6) + header + message


def _checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071) of an even number of bytes."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _packed(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))
