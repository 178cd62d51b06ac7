# SPDX-License-Identifier: Apache-2.0
"""A conversation with an OVSDB server: JSON-RPC over a stream (RFC 7047), without a copy of the database.

Threads share one connection. Whoever waits for an answer reads for all: there is no thread of our own that could die,
leak, or be missing after a fork.
"""

from __future__ import annotations

import codecs
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from os_vif.host.deadline import Deadline
from os_vif.host.ovsdb_endpoint import Credentials, Endpoint

_CHUNK = 1 << 16
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class ServerError(Exception):
    """The server answered, and what it says is an error. ``details`` are its own words."""

    def __init__(self, kind: str, details: str) -> None:
        super().__init__(f"{kind}: {details}" if details else kind)
        self.kind = kind
        self.details = details


class ConnectionLost(Exception):
    """The connection broke before an answer came; whether the server acted on the request is not known."""


class Connection:
    """One connection. It is not made anew when it is lost: that is for Client."""

    def __init__(self, stream: socket.socket, on_update: Callable[[Any, Any], None] | None = None) -> None:
        self._stream = stream
        self._on_update = on_update
        self._state = threading.Condition()
        self._sending = threading.Lock()
        self._answers: dict[int, dict[str, Any]] = {}
        self._next_id = 0
        self._reading = False
        self._buffer = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.lost: str = ""

    def close(self) -> None:
        """Ends the connection; who waits for an answer is told that it is lost."""
        self._lose("it was closed")

    def call(self, method: str, parameters: Any, deadline: Deadline) -> Any:
        """Sends a request and waits for the answer. Raises ServerError, ConnectionLost, DeadlineExceeded."""
        number = self._send_request(method, parameters)
        answer = self._wait(lambda: self._answers.pop(number, None), deadline, f"the answer to {method} from OVSDB")
        if answer.get("error") is not None:
            raise _server_error(answer["error"])
        return answer.get("result")

    def wait_for(self, condition: Callable[[], Any], deadline: Deadline, what: str) -> Any:
        """Reads updates until ``condition`` holds, and returns its value. Raises ConnectionLost, DeadlineExceeded."""
        return self._wait(condition, deadline, what)

    def _send_request(self, method: str, parameters: Any) -> int:
        with self._state:
            self._next_id += 1
            number = self._next_id
        self._send({"method": method, "params": parameters, "id": number})
        return number

    def _send(self, message: dict[str, Any]) -> None:
        with self._sending:
            if self.lost:
                raise ConnectionLost(self.lost)
            try:
                self._stream.sendall(json.dumps(message, separators=(",", ":")).encode())
            except OSError as error:
                self._lose(str(error))
                raise ConnectionLost(str(error)) from error

    def _wait(self, found: Callable[[], Any], deadline: Deadline, what: str) -> Any:
        while True:
            with self._state:
                result = found()
                if result is not None:
                    return result
                if self.lost:
                    raise ConnectionLost(self.lost)
                deadline.check(what)
                if self._reading:
                    self._state.wait(deadline.remaining())
                    continue
                self._reading = True
            try:
                self._read(deadline)
            finally:
                with self._state:
                    self._reading = False
                    self._state.notify_all()

    def _read(self, deadline: Deadline) -> None:
        """Reads what comes next, for whomever it is."""
        try:
            self._stream.settimeout(max(deadline.remaining(), 0.001))
            data = self._stream.recv(_CHUNK)
        except TimeoutError:
            return
        except OSError as error:
            self._lose(str(error))
            return
        if not data:
            self._lose("the server closed the connection")
            return
        try:
            self._buffer += self._decoder.decode(data)
            messages = self._split()
        except ValueError as error:
            self._lose(f"the server sent what is not JSON ({error})")
            return
        for message in messages:
            self._handle(message)

    def _split(self) -> list[Any]:
        messages = []
        # Trying only where a message can have ended keeps large answers from being scanned over and over.
        while (text := self._buffer.strip()).endswith("}"):
            try:
                message, end = json.JSONDecoder().raw_decode(text)
            except json.JSONDecodeError as error:
                if error.pos < len(text) and not error.msg.startswith("Unterminated string"):
                    raise
                break  # the rest is still to come
            self._buffer = text[end:]
            messages.append(message)
        return messages

    def _handle(self, message: Any) -> None:
        if not isinstance(message, dict):
            self._lose("the server sent a message that is no object")
        elif message.get("method") == "echo":
            self._send({"id": message.get("id"), "result": message.get("params"), "error": None})
        elif message.get("method") in ("update", "update2", "update3"):
            if self._on_update is not None:
                self._on_update(message["method"], message.get("params"))
        elif isinstance(message.get("id"), int):
            with self._state:
                self._answers[message["id"]] = message

    def _lose(self, reason: str) -> None:
        with self._state:
            self.lost = self.lost or reason
            self._state.notify_all()
        self._stream.close()


def _server_error(error: Any) -> ServerError:
    if isinstance(error, dict):
        return ServerError(str(error.get("error", error)), str(error.get("details", "")))
    return ServerError(str(error), "")


class Client:
    """Reaches one of several remotes, again when the connection is lost, and after a fork."""

    def __init__(self, endpoints: Sequence[Endpoint], credentials: Credentials | None = None) -> None:
        self._endpoints = tuple(endpoints)
        self._credentials = credentials
        self._mutex = threading.Lock()
        self._connection: Connection | None = None
        self._process = 0

    def call(self, method: str, parameters: Any, deadline: Deadline) -> Any:
        """One request on the shared connection. Raises ServerError, ConnectionLost, DeadlineExceeded, OSError."""
        return self.connection(deadline).call(method, parameters, deadline)

    def connection(self, deadline: Deadline) -> Connection:
        """The connection there is, or a new one; tries all remotes until the deadline. Raises OSError."""
        with self._mutex:
            if self._connection is None or self._connection.lost or self._process != os.getpid():
                self._connection = self.fresh(deadline)
                self._process = os.getpid()
            return self._connection

    def fresh(self, deadline: Deadline, on_update: Callable[[Any, Any], None] | None = None) -> Connection:
        """A connection of one's own. Raises OSError, which tells of every remote, when the deadline has come."""
        pause = _SHORTEST_PAUSE
        while True:
            complaints = []
            for endpoint in self._endpoints:
                try:
                    return Connection(endpoint.open(max(deadline.remaining(), 0.01), self._credentials), on_update)
                except OSError as error:
                    complaints.append(f"{endpoint}: {error.strerror or error}")
            if deadline.remaining() <= pause:
                raise OSError(f"no OVSDB server could be reached ({'; '.join(complaints)})")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def close(self) -> None:
        """Closes the shared connection; the next call makes a new one."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
