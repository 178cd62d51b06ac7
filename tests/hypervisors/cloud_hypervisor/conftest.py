# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Cloud Hypervisor, which is in no distribution: its published API, and guests that let go, or not."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from support.unix_http import JsonHandler, UnixServer

SCHEMA = json.loads((Path(__file__).parents[2] / "data" / "cloud_hypervisor_interface.json").read_text())


class StandIn(UnixServer):
    """``interfaces`` are configured, by id; ``tree`` is what the guest has. ``lets_go``: it gives up what it shall.

    Answers follow vmm/src/api/openapi/cloud-hypervisor.yaml.
    """

    def __init__(self):
        self.interfaces, self.tree, self.memory = {}, {}, {"size": 1 << 26}
        self.lets_go = True
        self.changes = 0
        super().__init__(Handler)


class Handler(JsonHandler):
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


@pytest.fixture
def schema():
    """Of an interface, as the API publishes it."""
    return SCHEMA


@pytest.fixture
def running():
    """A machine that runs; ``path`` is its socket."""
    server = StandIn()
    yield server
    server.close()
