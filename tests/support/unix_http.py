# SPDX-License-Identifier: Apache-2.0
"""A server of HTTP over a Unix socket, that answers with JSON: for hypervisors that no distribution has."""

from __future__ import annotations

import http.server
import json
import shutil
import socketserver
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class JsonHandler(http.server.BaseHTTPRequestHandler):
    """One request; the answers are up to the subclass."""

    def answer(self, status, body=None):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """``path`` is its socket."""

    daemon_threads = True

    def __init__(self, handler):
        self._directory = tempfile.mkdtemp(prefix="os-vif-api-")  # sockets have short paths
        self.path = str(Path(self._directory) / "api")
        super().__init__(self.path, handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()
        shutil.rmtree(self._directory)


@contextmanager
def answering(answers: Mapping[str, object]) -> Iterator[str]:
    """The path of a socket where each target is answered with what is there for it at the time."""

    class Handler(JsonHandler):
        def do_GET(self):
            self.answer(200, answers[self.path])

    server = UnixServer(Handler)
    try:
        yield server.path
    finally:
        server.close()
