# SPDX-License-Identifier: Apache-2.0
"""Hypervisors that answer as none would: a driver says so in an error of ours, and is not kept waiting."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from oslo_config import cfg

import os_vif
from fuzz.mutations import Mutator
from fuzz.test_parsers import SECONDS, SEED
from os_vif import exception
from os_vif.hypervisors.driver import Guest
from os_vif.loading import drivers
from support import vifs

COUNT = 150
ID = vifs.generic().id

GREETING = {"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 9}}, "capabilities": []}}
#: What QEMU answers, whatever it is asked.
QEMU = [
    {"return": {}},
    {"return": [{"name": f"nic-{ID}", "type": "child<virtio-net-pci>"}]},
    {"error": {"class": "DeviceNotFound", "desc": "not there"}},
    {"return": [{"id": "port1", "devices": [{"bus": 0, "slot": 1, "qdev_id": "x"}], "share": True}]},
    {"event": "DEVICE_DELETED", "data": {"device": f"nic-{ID}", "path": "/x"}, "timestamp": {"seconds": 1}},
]
CLOUD_HYPERVISOR = [
    {"version": "v48.0"},
    {"config": {"net": [{"id": f"net-{ID}"}], "memory": {"shared": True}}, "device_tree": {f"net-{ID}": {}}},
]
FIRECRACKER = [{"state": "Running"}, {"network-interfaces": [{"host_dev_name": "tap1"}], "state": "Running"}]


def line(mutator, seeds):
    return mutator.json(seeds).encode("utf8", "replace") + b"\n"


def greeting(mutator):
    """QEMU's, and its first answer; most of the time as they should be."""
    sound = [json.dumps(one).encode() + b"\n" for one in (GREETING, QEMU[0])]
    return mutator.one_of((sound, sound, sound, [line(mutator, [GREETING]), sound[1]], [sound[0], line(mutator, QEMU)]))


def response(mutator, seeds):
    body = mutator.json(seeds).encode("utf8", "replace")
    head = f"HTTP/1.1 {mutator.one_of((200, 200, 200, 204, 400, 404, 500))} OK\r\nContent-Length: {len(body)}\r\n\r\n"
    return mutator.one_of((head.encode(), head.encode(), line(mutator, [head]))) + body


@contextmanager
def answering(path, mutator, seeds, make, *, greets):
    """A server at ``path``; it leaves whoever asks nothing more."""

    def serve(client):
        with client, suppress(OSError):
            client.settimeout(0.05)
            for first in greeting(mutator) if greets else ():
                client.sendall(first)
            while client.recv(1 << 16):
                client.sendall(make(mutator, seeds))

    def listen():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            serve(client)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


CASES = {
    "qemu": (QEMU, line),
    "cloud_hypervisor": (CLOUD_HYPERVISOR, response),
    "firecracker": (FIRECRACKER, response),
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_but_errors_of_ours(name, tmp_path):
    """The round is told with its number and the seed."""
    os_vif.initialize()
    seeds, make = CASES[name]
    driver, mutator = drivers.load(drivers.HYPERVISORS, name), Mutator(SEED)
    if name != "firecracker":
        cfg.CONF.set_override("hot_plug_timeout", 1, group=f"os_vif_hypervisor_{name}")
    guest, vif = Guest("guest", vifs.INSTANCE.uuid, endpoint=str(tmp_path / "api")), vifs.generic()
    outcomes = set()
    end, number = time.monotonic() + SECONDS, 0
    with answering(tmp_path / "api", mutator, seeds, make, greets=name == "qemu"):
        while number < COUNT or time.monotonic() < end:
            for action in (driver.check, driver.attach, driver.detach, lambda _, guest: driver.offer(guest, "host")):
                try:
                    outcomes.add(str(action(vif, guest)))
                except exception.ExceptionBase as error:
                    outcomes.add(f"{type(error).__name__} {error} {error.hint}")
                except Exception as error:
                    pytest.fail(f"{error!r:.300} in round {number} of seed {SEED}, from {action}")
            number += 1
    if name != "firecracker":
        cfg.CONF.clear_override("hot_plug_timeout", group=f"os_vif_hypervisor_{name}")
    assert len(outcomes) > 20
