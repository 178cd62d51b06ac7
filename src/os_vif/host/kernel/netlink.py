# SPDX-License-Identifier: Apache-2.0
"""A conversation with the kernel over netlink: messages, attributes, answers and errors.

Only what the dozen operations in rtnetlink.py need. Wire format: netlink(7), rtnetlink(7) and the kernel's
Documentation/userspace-api/netlink/intro.rst. Why not a library: docs/adr/0005-own-netlink.md.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP = 0x300
NLM_F_DUMP_INTR = 0x10
NLM_F_EXCL = 0x200
NLM_F_CREATE = 0x400
NLM_F_APPEND = 0x800
NLM_F_REPLACE = 0x100
NLM_F_CAPPED = 0x100
NLM_F_ACK_TLVS = 0x200

NLA_F_NESTED = 0x8000
_NLA_TYPE_MASK = 0x3FFF

_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLMSGERR_ATTR_MSG = 1

_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10
_NETLINK_EXT_ACK = 11
_NETLINK_GET_STRICT_CHK = 12
_SO_NETNS_COOKIE = 71


#: How often an interrupted dump is asked for again (Launchpad bug 1962608).
_DUMP_TRIES = 10
_BUFFER = 1 << 18
#: The kernel answers at once, or something is badly wrong.
_SECONDS = 30


class KernelError(OSError):
    """The kernel refused. ``str()`` is its own explanation where it gives one, else the text of the errno."""

    def __init__(self, number: int, words: str) -> None:
        super().__init__(number, words or os.strerror(number))

    def __str__(self) -> str:
        return str(self.strerror)


class Layout(struct.Struct):
    """The fixed part of a message of the kernel's."""

    def unpack_from(self, buffer: bytes, offset: int = 0) -> tuple[Any, ...]:  # type: ignore[override]
        """The values at ``offset``. Raises KernelError where the message ends before them."""
        try:
            return super().unpack_from(buffer, offset)
        except struct.error:
            raise cut_short() from None


def cut_short() -> KernelError:
    """The error for an answer that ends too early."""
    return KernelError(errno.EBADMSG, "the kernel's answer is cut short")


def from_u32(value: bytes, order: str = "=") -> int:
    """The 32 bits of an attribute; ``order``: ">" for what is in the order of the network. Raises KernelError."""
    if len(value) < 4:
        raise cut_short()
    return int(struct.unpack_from(order + "I", value)[0])


_HEADER = Layout("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ERROR = Layout("=i")


@contextlib.contextmanager
def parsing() -> Iterator[None]:
    """Around taking an answer apart: what is missing from it, or of another length, is a KernelError."""
    try:
        yield
    except (LookupError, ValueError) as error:
        raise cut_short() from error


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def text(kind: int, value: str) -> bytes:
    """An attribute holding a NUL-terminated string."""
    return attribute(kind, value.encode() + b"\0")


def u32(kind: int, value: int) -> bytes:
    """An attribute holding 32 bits in host order."""
    return attribute(kind, struct.pack("=I", value))


def nested(kind: int, *children: bytes) -> bytes:
    """An attribute holding attributes."""
    return attribute(kind | NLA_F_NESTED, b"".join(children))


def attributes(data: bytes, offset: int = 0) -> list[tuple[int, bytes]]:
    """The attributes from ``offset`` on, as (type without flags, value). Raises KernelError."""
    found = []
    last = len(data) - 4
    unpack = _ATTRIBUTE.unpack_from
    while offset <= last:
        length, kind = unpack(data, offset)
        if not 4 <= length <= len(data) - offset:
            raise cut_short()
        found.append((kind & _NLA_TYPE_MASK, data[offset + 4 : offset + length]))
        offset += (length + 3) & ~3
    return found


class Conversation:
    """A netlink socket in the network namespace of the thread that made it. Not to be shared by threads."""

    def __init__(self, protocol: int = socket.NETLINK_ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.bind((0, 0))
        for option in (_NETLINK_CAP_ACK, _NETLINK_EXT_ACK, _NETLINK_GET_STRICT_CHK):
            self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", _SECONDS, 0))
        self._sequence = 0

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def __del__(self) -> None:
        # A thread that ends drops its conversation, and there is nobody left to close it.
        if hasattr(self, "_socket"):
            self._socket.close()

    def namespace_cookie(self) -> int | None:
        """A number that no other network namespace has until the next boot (Linux 5.14), else None."""
        try:
            return int(struct.unpack("=Q", self._socket.getsockopt(socket.SOL_SOCKET, _SO_NETNS_COOKIE, 8))[0])
        except OSError:
            return None

    def ask(self, kind: int, body: bytes, flags: int = 0) -> list[bytes]:
        """Sends one request and returns the bodies of what comes back, without the acknowledgement.

        Raises KernelError when the kernel refuses.
        """
        for _ in range(_DUMP_TRIES):
            sequence = self._send(kind, body, flags)
            answers, interrupted = self._receive(sequence, flags)
            if not interrupted:
                return answers
        raise KernelError(errno.EINTR, "the kernel's list kept changing while it was read")

    def _send(self, kind: int, body: bytes, flags: int) -> int:
        self._sequence = (self._sequence + 1) & 0xFFFFFFFF
        flags |= NLM_F_REQUEST | (0 if flags & NLM_F_DUMP == NLM_F_DUMP else NLM_F_ACK)
        self._socket.send(_HEADER.pack(16 + len(body), kind, flags, self._sequence, 0) + body)
        return self._sequence

    def _receive(self, sequence: int, flags: int) -> tuple[list[bytes], bool]:
        answers: list[bytes] = []
        interrupted = False
        while True:
            for kind, message_flags, number, body in _messages(self._receive_some()):
                if number != sequence:
                    continue  # the rest of an answer whose reader was interrupted
                interrupted |= bool(message_flags & NLM_F_DUMP_INTR)
                if kind == _NLMSG_DONE:
                    return answers, interrupted
                if kind == _NLMSG_ERROR:
                    _raise_if_refused(body, message_flags)
                    return answers, interrupted
                answers.append(body)

    def _receive_some(self) -> bytes:
        try:
            return self._socket.recv(_BUFFER)
        except BlockingIOError as error:
            raise KernelError(errno.ETIMEDOUT, f"the kernel did not answer within {_SECONDS} seconds") from error


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    offset = 0
    while offset + 16 <= len(data):
        length, kind, flags, sequence, _port = _HEADER.unpack_from(data, offset)
        if not 16 <= length <= len(data) - offset:
            raise cut_short()
        yield kind, flags, sequence, data[offset + 16 : offset + length]
        offset += (length + 3) & ~3


def _raise_if_refused(body: bytes, flags: int) -> None:
    number = -_ERROR.unpack_from(body)[0]
    if number:
        raise KernelError(number, _words(body, flags))


def _words(body: bytes, flags: int) -> str:
    if not flags & NLM_F_ACK_TLVS:
        return ""
    request_length = 16 if flags & NLM_F_CAPPED else _HEADER.unpack_from(body, 4)[0]
    for kind, value in attributes(body, 4 + request_length):
        if kind == _NLMSGERR_ATTR_MSG:
            return value.rstrip(b"\0").decode(errors="replace")
    return ""


@dataclass
class _PerThread(threading.local):
    conversations: dict[int, tuple[int, int, Conversation]] = field(default_factory=dict)


_per_thread = _PerThread()


def conversation(protocol: int = socket.NETLINK_ROUTE) -> Conversation:
    """This thread's long-lived conversation in its present network namespace.

    One per thread, so that threads neither wait for each other nor mix answers; made anew after fork() and
    after the thread went to another namespace.
    """
    key = (os.getpid(), namespace_inode())
    known = _per_thread.conversations.get(protocol)
    if known and known[:2] == key:
        return known[2]
    if known:
        known[2].close()
    fresh = Conversation(protocol)
    _per_thread.conversations[protocol] = (*key, fresh)
    return fresh


def namespace_inode() -> int:
    """The inode number of this thread's network namespace."""
    return os.stat("/proc/thread-self/ns/net").st_ino  # noqa: PTH116 - on the path of every message
