# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Cloud Hypervisor, which is in no distribution: its published API, and guests that let go, or not."""

from __future__ import annotations

import http.server
import json
import shutil
import socketserver
import tempfile
import threading
from pathlib import Path

import jsonschema
import pytest

SCHEMA = json.loads((Path(__file__).parents[2] / "data" / "cloud_hypervisor_interface.json").read_text())


class StandIn(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """``interfaces`` are configured, by id; ``tree`` is what the guest has. ``lets_go``: it gives up what it shall.

    Answers follow vmm/src/api/openapi/cloud-hypervisor.yaml.
    """

    daemon_threads = True

    def __init__(self, path):
        super().__init__(str(path), Handler)
        self.path = str(path)
        self.interfaces, self.tree, self.memory = {}, {}, {"size": 1 << 26}
        self.lets_go = True
        self.changes = 0
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self):
        """What is there."""
        machine = {"config": {"net": list(self.server.interfaces.values()), "memory": self.server.memory}}
        answers = {"vmm.ping": {"version": "v48.0"}, "vm.info": {**machine, "device_tree": self.server.tree}}
        self.answer(200, answers[self.asked()])

    def do_PUT(self):
        """A change."""
        self.server.changes += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        {"vm.add-net": self.add, "vm.remove-device": self.remove}[self.asked()](body)

    def asked(self):
        root, _, what = self.path.rpartition("/")
        assert root == "/api/v1"
        return what

    def add(self, interface):
        try:
            jsonschema.validate(interface, SCHEMA)
        except jsonschema.ValidationError as error:
            return self.answer(400, error.message)
        if interface["id"] in self.server.tree:
            return self.answer(409, "Device identifier is not unique")
        self.server.interfaces[interface["id"]] = interface
        self.server.tree[interface["id"]] = {"id": interface["id"]}
        return self.answer(200, {"id": interface["id"], "bdf": "0000:00:05.0"})

    def remove(self, body):
        if self.server.interfaces.pop(body["id"], None) is None:
            return self.answer(404, "Missing device")
        if self.server.lets_go:
            del self.server.tree[body["id"]]
        return self.answer(204)

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


@pytest.fixture
def schema():
    """Of an interface, as the API publishes it."""
    return SCHEMA


@pytest.fixture
def running():
    """A machine that runs; ``path`` is its socket."""
    directory = Path(tempfile.mkdtemp(prefix="os-vif-ch-"))  # sockets have short paths
    server = StandIn(directory / "api")
    yield server
    server.shutdown()
    server.server_close()
    shutil.rmtree(directory)
