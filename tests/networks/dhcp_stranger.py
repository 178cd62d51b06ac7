# SPDX-License-Identifier: Apache-2.0
"""A machine that is no guest asks for an address in every way that DHCP has (RFC 2131, 4.3): prints each answer."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
import time
from pathlib import Path

DEVICE, WANTED = sys.argv[1:]
MAC = bytes.fromhex(Path(f"/sys/class/net/{DEVICE}/address").read_text().strip().replace(":", ""))
NOTHING = b"\0" * 4
DISCOVER, REQUEST, DECLINE, INFORM = 1, 3, 4, 8
ANSWERS = {2: "OFFER", 5: "ACK", 6: "NAK"}
SECONDS = 1


def message(kind, *, ciaddr=NOTHING, options=b""):
    head = struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x1234, 0, 0x8000) + ciaddr + NOTHING * 3 + MAC + bytes(10 + 64 + 128)
    return (head + b"\x63\x82\x53\x63" + bytes([53, 1, kind]) + options + b"\xff").ljust(300, b"\0")


def frame(dhcp):
    udp = struct.pack("!HHHH", 68, 67, 8 + len(dhcp), 0) + dhcp
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + NOTHING + b"\xff" * 4
    total = sum(struct.unpack("!10H", head))
    total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return b"\xff" * 6 + MAC + b"\x08\x00" + head[:10] + struct.pack("!H", total) + head[12:] + udp


def kind_of(options):
    with contextlib.suppress(IndexError):
        while options[0] != 255:
            if options[0] == 53:
                return options[2]
            options = options[2 + options[1] :]
    return 0


address = socket.inet_aton(WANTED)
requested = bytes([50, 4]) + address
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800)) as wire:
    wire.bind((DEVICE, 0x0800))
    for asked in (
        message(DISCOVER),
        message(DISCOVER, options=requested),
        message(REQUEST, options=requested),  # INIT-REBOOT
        message(REQUEST, ciaddr=address),  # RENEWING or REBINDING
        message(DECLINE, options=requested),
        message(INFORM, ciaddr=address),
    ):
        wire.send(frame(asked))
    end = time.monotonic() + SECONDS
    while (left := end - time.monotonic()) > 0:
        if select.select([wire], [], [], left)[0]:
            got = wire.recv(2000)
            if got[23] == 17 and got[34:38] == struct.pack("!HH", 67, 68):
                print(ANSWERS.get(kind_of(got[282:]), "?"), socket.inet_ntoa(got[26:30]))
