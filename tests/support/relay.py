# SPDX-License-Identifier: Apache-2.0
"""A server on loopback, made to be reached from the loopback of a network namespace as well."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

from support.netns import Namespace

_LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def relayed(namespace: Namespace, port: int) -> Iterator[None]:
    """For a while, connections to that port in there are carried on to the same port out here."""
    # A socket stays in the namespace that it was made in; those that the handlers make are out here.
    server = namespace.inside(lambda: _Server((_LOOPBACK, port), _Handler))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class _Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        """Returns when both have said all."""
        _, port = self.request.getsockname()
        with socket.create_connection((_LOOPBACK, port)) as onward:
            back = threading.Thread(target=_carry, args=(onward, self.request))
            back.start()
            _carry(self.request, onward)
            back.join()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
