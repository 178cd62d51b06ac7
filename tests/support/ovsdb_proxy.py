# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and an OVSDB server, passes messages on, and does to some of them what a bad day would."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What happens to a request, and its answer: see Proxy.
LOSE_REQUEST, LOSE_ANSWER, NO_ANSWER = "lose the request", "lose the answer", "no answer"


def writes(message: dict[str, Any]) -> bool:
    """Whether a message is a transaction that changes rows."""
    operations = message["params"][1:] if message.get("method") == "transact" else []
    return any(operation["op"] not in ("select", "wait") for operation in operations)


@dataclass
class Fault:
    """Happens to the first ``times`` messages for which ``to`` holds.

    ``what`` is LOSE_REQUEST: the connection ends before the server has got it. LOSE_ANSWER: it ends after the server
    has answered. NO_ANSWER: the answer never comes. Bytes: they come instead of the answer. A callable is called
    when the request has come; then it is passed on.
    """

    what: str | bytes | Callable[[], object]
    to: Callable[[dict[str, Any]], bool] = writes
    times: int = 1


@dataclass
class Proxy:
    """Listens at ``path`` and passes on to the server at ``server``, both paths of sockets.

    ``requests`` are all that have come; ``connections`` how many there have been.
    """

    server: str
    path: str
    faults: list[Fault] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._mutex = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def remote(self) -> str:
        """In the words of the option ovsdb_connection."""
        return f"unix:{self.path}"

    @property
    def writes(self) -> list[dict[str, Any]]:
        """The transactions that change rows."""
        return [message for message in self.requests if writes(message)]

    def hang_up(self) -> None:
        """Ends all connections that there are."""
        for one in self._open:
            _end(one)
        self._open.clear()

    def close(self) -> None:
        """Ends it, and all connections."""
        _end(self._listener)
        self.hang_up()
        Path(self.path).unlink()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.socket(socket.AF_UNIX)
                self.connections += 1
                try:
                    server.connect(self.server)
                except OSError:
                    _end(client)
                    _end(server)
                    continue
                self._open += [client, server]
                fates: dict[Any, Fault] = {}
                for body in (self._pass_requests, self._pass_answers):
                    threading.Thread(target=body, args=(client, server, fates), daemon=True).start()

    def _pass_requests(self, client: socket.socket, server: socket.socket, fates: dict[Any, Fault]) -> None:
        for message in _messages(client):
            self.requests.append(message)
            fault = self._fault_for(message)
            if fault is not None and callable(fault.what):
                fault.what()
            elif fault is not None:
                fates[message.get("id")] = fault
                if fault.what == LOSE_REQUEST:
                    break
            with contextlib.suppress(OSError):
                server.sendall(json.dumps(message).encode())
        _end(client)
        _end(server)

    def _pass_answers(self, client: socket.socket, server: socket.socket, fates: dict[Any, Fault]) -> None:
        for message in _messages(server):
            fault = None if "method" in message else fates.get(message.get("id"))
            what = fault.what if fault else json.dumps(message).encode()
            if what == LOSE_ANSWER:
                break
            if isinstance(what, bytes):
                with contextlib.suppress(OSError):
                    client.sendall(what)
        _end(client)
        _end(server)

    def _fault_for(self, message: dict[str, Any]) -> Fault | None:
        with self._mutex:
            for fault in self.faults:
                if fault.times and fault.to(message):
                    fault.times -= 1
                    return fault
        return None


def _messages(source: socket.socket) -> Iterator[dict[str, Any]]:
    text = ""
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 20):
            text += data.decode()
            while text:
                try:
                    message, end = json.JSONDecoder().raw_decode(text)
                except json.JSONDecodeError:
                    break
                text = text[end:].lstrip()
                yield message


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
