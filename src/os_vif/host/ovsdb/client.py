# SPDX-License-Identifier: Apache-2.0
"""A conversation with an OVSDB server: JSON-RPC over a stream (RFC 7047), without a copy of the database.

Threads share one connection. Whoever waits for an answer reads for all: there is no thread of our own that could die,
leak, or be missing after a fork.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import ssl
import time
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.host.ovsdb.endpoint import Credentials, Endpoint, Unusable
from os_vif.host.ovsdb.stream import Splitter, Stream
from os_vif.host.process import threads
from os_vif.host.process.deadline import Deadline
from os_vif.host.process.patience import Patience

if TYPE_CHECKING:
    from typing import Self

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

#: Seconds for which a server is waited for where nobody listens: as long as a restart may take.
_RESTART = 5.0


class ServerError(Exception):
    """The server answered, and what it says is an error. ``details`` are its own words."""

    def __init__(self, kind: str, details: str) -> None:
        super().__init__(f"{kind}: {details}" if details else kind)
        self.kind = kind
        self.details = details


class ConnectionLost(Exception):
    """The connection broke before an answer came; whether the server acted on the request is not known."""

    def again(self) -> Self:
        """The same for one more thread to raise."""
        return type(self)(*self.args)


class ConnectionUnusable(ConnectionLost):
    """The same, and it is no use to try again: the server does not want us, or does not speak our language."""


class Connection:
    """One connection. It is not made anew when it is lost: that is for Client."""

    def __init__(self, connection: socket.socket) -> None:
        self._stream = Stream(connection)
        self._messages = Splitter()
        self._state = threads.Condition()
        self._sending = threads.Lock()
        self._asked: set[int] = set()
        self._given_up: set[int] = set()
        self._answers: dict[int, dict[str, Any]] = {}
        self._next_id = 0
        self._reading = False
        self.lost: ConnectionLost | None = None

    def close(self) -> None:
        """Ends the connection; who waits for an answer is told that it is lost."""
        self._lose(ConnectionLost("it was closed"))

    def abandon(self) -> None:
        """Lets go of the socket in a forked child, where nobody waits for it; the connection is the parent's."""
        self._stream.close()

    def call(self, method: str, parameters: Any, deadline: Deadline) -> Any:
        """Sends a request and waits for the answer. Raises ServerError, ConnectionLost, DeadlineExceeded."""
        with self._state:
            self._next_id += 1
            number = self._next_id
            self._asked.add(number)
        self._send({"method": method, "params": parameters, "id": number}, deadline)
        answer = self._wait_for(number, method, deadline)
        if answer.get("error") is not None:
            raise _server_error(answer["error"])
        return answer.get("result")

    def _send(self, message: dict[str, Any], deadline: Deadline) -> None:
        with self._sending:
            if self.lost:
                raise self.lost.again()
            try:
                self._stream.send(json.dumps(message, separators=(",", ":")).encode(), deadline)
            except OSError as error:
                self._lose(_reason(error))
                raise ConnectionLost(str(error)) from error

    def _wait_for(self, number: int, method: str, deadline: Deadline) -> dict[str, Any]:
        while True:
            with self._state:
                if number in self._answers:
                    return self._answers.pop(number)
                if self.lost:
                    raise self.lost.again()
                if not deadline.remaining():
                    self._give_up(number)
                    deadline.check(f"the answer to {method} from OVSDB")
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
                if self.lost:
                    self._stream.close()

    def _give_up(self, number: int) -> None:
        self._asked.discard(number)
        self._given_up.add(number)

    def _read(self, deadline: Deadline) -> None:
        """Reads what comes next, for whomever it is."""
        try:
            data = self._stream.receive(deadline)
        except OSError as error:
            self._lose(_reason(error))
            return
        if data is None:
            return
        if not data:
            self._lose(ConnectionLost("the server closed the connection"))
            return
        try:
            for message in self._messages.feed(data):
                self._handle(message, deadline)
        except ValueError as error:
            self._lose(ConnectionUnusable(f"the server does not speak JSON-RPC: {error}"))

    def _handle(self, message: dict[str, Any], deadline: Deadline) -> None:
        number = message.get("id")
        if message.get("method") == "echo":
            self._send({"id": number, "result": message.get("params"), "error": None}, deadline)
        elif "result" in message or "error" in message:
            self._take(number, message)
        elif "method" not in message:
            raise ValueError(f"{json.dumps(message)[:80]} is neither a request nor an answer")

    def _take(self, number: Any, answer: dict[str, Any]) -> None:
        with self._state:
            if not isinstance(number, int):
                raise ValueError(f"it answers a request that was not made ({number!r})")
            if number in self._asked:
                self._asked.discard(number)
                self._answers[number] = answer
            elif number in self._given_up:
                self._given_up.discard(number)
            else:
                raise ValueError(f"it answers a request that was not made ({number!r})")

    def _lose(self, reason: ConnectionLost) -> None:
        with self._state:
            self.lost = self.lost or reason
            self._state.notify_all()
            self._stream.interrupt()
            # Who waits for the stream lets go of it himself; else its number could be another file's by then.
            if not self._reading:
                self._stream.close()


def _server_error(error: Any) -> ServerError:
    if isinstance(error, dict):
        return ServerError(str(error.get("error", error)), str(error.get("details") or ""))
    return ServerError(str(error), "")


def _reason(error: OSError) -> ConnectionLost:
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return ConnectionUnusable(f"the server ended the TLS connection: {error.reason or error}")
    return ConnectionLost(error.strerror or str(error))


class Client:
    """Reaches one of several remotes, again when the connection is lost, and after a fork."""

    def __init__(self, endpoints: Sequence[Endpoint], credentials: Credentials | None = None) -> None:
        self._endpoints = tuple(endpoints)
        self._credentials = credentials or Credentials()
        self._forget()
        _clients.add(self)

    def _forget(self) -> None:
        self._mutex = threads.Lock()
        self._connection: Connection | None = None
        self._patience = Patience(first=_RESTART, again=0, look=0)

    def __str__(self) -> str:
        return ",".join(map(str, self._endpoints))

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The remotes."""
        return self._endpoints

    def connection(self, deadline: Deadline) -> Connection:
        """The shared connection, or a new one; tries all remotes until the deadline. Raises OSError, DeadlineExceeded.

        Where nobody listens, it tries for as long as a restart takes, and a while after that only once. The OSError
        tells of every remote.
        """
        if not self._mutex.acquire(timeout=deadline.remaining()):
            raise exception.DeadlineExceeded(seconds=f"{deadline.seconds:g}", what=f"a connection to {self}")
        try:
            if self._connection is None or self._connection.lost:
                self._connection = Connection(self._connect(deadline))
            return self._connection
        finally:
            self._mutex.release()

    def connection_apart(self, deadline: Deadline) -> Connection:
        """A new connection that nobody shares, for the caller to close. Raises OSError."""
        return Connection(self._connect(deadline))

    def _connect(self, deadline: Deadline) -> socket.socket:
        pause = _SHORTEST_PAUSE
        restart = Deadline(self._patience.seconds())
        while True:
            errors: list[OSError] = []
            for endpoint in self._endpoints:
                try:
                    opened = endpoint.open(max(deadline.remaining(), 0.01), self._credentials)
                except OSError as error:
                    errors.append(error)
                else:
                    self._patience.regain()
                    return opened
            nobody = all(isinstance(error, ConnectionRefusedError | FileNotFoundError) for error in errors)
            if (nobody and restart.remaining() <= pause) or deadline.remaining() <= pause:
                self._patience.lose()
                raise _unreachable(self._endpoints, errors)
            if all(isinstance(error, Unusable) for error in errors):
                raise _unreachable(self._endpoints, errors)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def close(self) -> None:
        """Closes the shared connection; the next call makes a new one."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _unreachable(endpoints: Sequence[Endpoint], errors: Sequence[OSError]) -> OSError:
    complaints = (f"{endpoint}: {error.strerror or error}" for endpoint, error in zip(endpoints, errors, strict=True))
    return OSError(f"no OVSDB server could be reached ({'; '.join(complaints)})")


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _after_fork() -> None:
    """A child makes connections of its own: bytes of two processes on one would be mixed up."""
    for client in list(_clients):
        if client._connection is not None:
            client._connection.abandon()
        client._forget()


def _at_exit() -> None:
    """Closes what is open, for processes that look for leaks; without waiting for threads that are connecting."""
    for client in list(_clients):
        if client._connection is not None:
            client._connection.close()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
