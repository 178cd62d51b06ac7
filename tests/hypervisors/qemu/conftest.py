# SPDX-License-Identifier: Apache-2.0
"""The driver `qemu`, and QEMUs to give interfaces to: a guest that answers, or a machine that stands still."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

import pytest
from oslo_config import cfg

from os_vif.host.process.deadline import Deadline
from os_vif.hypervisors.driver import Guest
from os_vif.hypervisors.qemu.qmp import Monitor
from os_vif.loading import drivers
from support import vifs
from support.guest import small
from support.parts import require, require_tun


@pytest.fixture
def driver():
    """With the usual options, and less patience where a test sets it: driver.config."""
    yield drivers.load(drivers.HYPERVISORS, "qemu")
    cfg.CONF.clear_override("hot_plug_timeout", group="os_vif_hypervisor_qemu")


@pytest.fixture
def machine(netns):
    """Makes a QEMU whose processor stands still: machine(*arguments) is its monitor's path."""
    require("qemu-system-x86_64", "qemu-system-x86")
    directory = Path(tempfile.mkdtemp(prefix="os-vif-qemu-"))  # sockets have short paths
    count = 0

    def make(*arguments, kind="q35"):
        nonlocal count
        count += 1
        path = directory / f"qmp{count}"
        options = f"-accel tcg -M {kind} -m 64 -nodefaults -display none -S -qmp unix:{path},server=on,wait=off"
        with (directory / "errors").open("w") as errors:
            process = netns.popen(["qemu-system-x86_64", *options.split(), *arguments], stderr=errors)
        while not answers(path):
            assert process.poll() is None, (directory / "errors").read_text()
        return str(path)

    yield make
    shutil.rmtree(directory)


def answers(path):
    with contextlib.suppress(OSError), Monitor(str(path), Deadline(20)):
        return True
    return False


@pytest.fixture
def boot(netns):
    """Boots a guest with two free PCI ports, and the cards given: boot(*cards) answers already, unless wait=False."""
    require_tun()
    made = []

    def start(*cards, wait=True, **options):
        ports = [["-device", f"pcie-root-port,id=port{number},chassis={number}"] for number in (1, 2)]
        made.append(small.Guest(netns, *ports, *cards, **options))
        if wait:
            made[-1].wait()
        return made[-1]

    yield start
    for guest in made:
        guest.stop()


@pytest.fixture
def guest_at():
    """The guest whose monitor is there: guest_at(path, queues=2)."""
    return lambda path, **more: Guest("guest", vifs.INSTANCE.uuid, endpoint=str(path), **more)


@pytest.fixture
def ask():
    """Asks a QEMU: ask(path, "query-chardev")."""

    def execute(path, command, /, **arguments):
        with Monitor(str(path), Deadline(20)) as monitor:
            return monitor.execute(command, **arguments)

    return execute


@pytest.fixture
def devices(ask):
    """What a QEMU has of network: (cards, backends, sockets), by their ids."""

    def look(path):
        cards = [child["name"] for child in ask(path, "qom-list", path="/machine/peripheral")]
        backends = ask(path, "human-monitor-command", **{"command-line": "info network"})
        sockets = [chardev["label"] for chardev in ask(path, "query-chardev")]
        named = [word.strip(" \\:") for word in backends.replace(":", " ").split() if word.startswith("net-")]
        return (
            sorted(name for name in cards if name.startswith("nic-")),
            sorted(set(named)),
            sorted(name for name in sockets if name.startswith("chr-")),
        )

    return look
