# SPDX-License-Identifier: Apache-2.0
"""The two halves of a connection to OVSDB: bytes, which one thread may send while another receives, and messages."""

from __future__ import annotations

import codecs
import contextlib
import json
import socket
import ssl
from typing import Any

from os_vif.host.process import polling, threads
from os_vif.host.process.deadline import Deadline

_CHUNK = 1 << 16
#: The longest piece of JSON that is wrong only because it was cut off: a literal, or an escaped character.
_LONGEST_TOKEN = 12


class Stream:
    """A connected socket, plain or TLS. A TLS connection must not be used by two threads at once, so it is not."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._guard = threads.Lock()

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Sends all of it. Raises OSError, TimeoutError being one; how much was sent is then not known."""
        rest = memoryview(data)
        while rest:
            event = polling.POLLOUT
            try:
                with self._guard:
                    rest = rest[self._socket.send(rest) :]
                continue
            except ssl.SSLWantReadError:
                event = polling.POLLIN
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass
            if not self._wait(event, deadline):
                raise TimeoutError(f"the server took nothing in for {deadline.seconds:g} seconds")

    def receive(self, deadline: Deadline) -> bytes | None:
        """What comes next: b"" when the other side has ended it, None when nothing comes in time. Raises OSError."""
        while True:
            event = polling.POLLIN
            try:
                with self._guard:
                    return self._socket.recv(_CHUNK)
            except ssl.SSLWantWriteError:
                event = polling.POLLOUT
            except (BlockingIOError, ssl.SSLWantReadError):
                pass
            if not self._wait(event, deadline):
                return None

    def interrupt(self) -> None:
        """Ends the connection; who waits for it wakes up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Lets go of the socket. Nobody may be waiting for it."""
        self._socket.close()

    def _wait(self, event: int, deadline: Deadline) -> bool:
        return polling.wait(self._socket, event, deadline.remaining())


class Splitter:
    """Cuts a stream of bytes into JSON objects, wherever it was cut on its way."""

    def __init__(self) -> None:
        self._rest = ""
        self._text = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The objects that are complete now. Raises ValueError for what cannot become any."""
        text = (self._rest + self._text.decode(data)).lstrip()
        found = []
        while text:
            message, end = self._first(text)
            if message is None:
                break
            found.append(message)
            text = text[end:].lstrip()
        self._rest = text
        return found

    def _first(self, text: str) -> tuple[dict[str, Any] | None, int]:
        if not text.startswith("{"):
            raise ValueError(f"{text[:40]!r} is not the beginning of an object")
        # Trying a long text only where an object can have ended keeps it from being scanned over and over.
        if len(text) > _CHUNK and not text.endswith("}"):
            return None, 0
        try:
            return self._json.raw_decode(text)
        except RecursionError:
            raise ValueError("an object is nested too deeply") from None
        except json.JSONDecodeError as error:
            cut_off = error.pos > len(text) - _LONGEST_TOKEN or error.msg.startswith("Unterminated string")
            if not cut_off:
                raise
            return None, 0
