# SPDX-License-Identifier: Apache-2.0
"""Hot plug that fails, on machines that stand still: in whose words, and that nothing of it is left."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path

import pytest
from oslo_config import cfg

from os_vif import exception
from os_vif.hypervisors.qemu import hotplug
from os_vif.objects.vif import VIFVHostUser
from os_vif.plugins.tap import TapPlugin
from support import plugging, vifs
from support.parts import require_tun

PORT = ("-device", "pcie-root-port,id=port1,chassis=1")
NOTHING = ([], [], [])


@pytest.fixture(autouse=True)
def taps(netns, tmp_path):
    """tap1 and tap2 are there."""
    require_tun()
    host = plugging.PlugHost(netns, tmp_path, plugging.configured(TapPlugin))
    host.plug(vifs.generic("tap1"), vifs.generic("tap2", number=2))


def failed(reason, number=1):
    return f"qemu did not attach interface {vifs.identity(number)} of guest: {reason}"


def test_without_a_free_port_it_says_how_to_get_one(driver, machine, guest_at, devices):
    """A machine q35 takes cards into ports only; the port that there is has a card already."""
    path = machine(*PORT)
    driver.attach(vifs.generic("tap1"), guest_at(path))
    before = devices(path)
    with pytest.raises(exception.HotPlugFailed) as caught:
        driver.attach(vifs.generic("tap2", number=2), guest_at(path))
    assert str(caught.value) == failed(
        "Bus 'pcie.0' does not support hotplugging. There is no free PCI port: start QEMU with one for each interface"
        " to come, `-device pcie-root-port,id=port1,chassis=1`, or name a bus in the guest's option `bus`.",
        number=2,
    )
    assert devices(path) == before


def test_a_machine_of_the_older_kind_needs_no_ports(driver, machine, guest_at, devices):
    """Its bus takes cards while it runs."""
    path = machine(kind="pc")
    driver.attach(vifs.generic("tap1"), guest_at(path))
    assert devices(path)[0] == [f"nic-{vifs.identity(1)}"]


def test_a_card_that_is_refused_leaves_no_backend(driver, machine, guest_at, devices):
    """The tap can be opened by somebody else again."""
    path = machine(*PORT)
    with pytest.raises(exception.HotPlugFailed) as caught:
        driver.attach(vifs.generic("tap1"), guest_at(path, options={"bus": "nowhere"}))
    assert str(caught.value) == failed("Bus 'nowhere' not found.")
    assert devices(path) == NOTHING
    driver.attach(vifs.generic("tap1"), guest_at(path))


def test_an_attempt_that_was_cut_off_is_finished(driver, machine, guest_at, devices, ask):
    """All that may be left is a backend without a card; detaching removes it just as well."""
    path = machine(*PORT)
    backend = {"type": "tap", "id": f"net-{vifs.identity(1)}", "ifname": "tap1", "script": "no", "downscript": "no"}
    ask(path, "netdev_add", **backend)
    driver.attach(vifs.generic("tap1"), guest_at(path))
    assert devices(path)[0] == [f"nic-{vifs.identity(1)}"]
    ask(path, "netdev_add", **backend | {"id": f"net-{vifs.identity(2)}", "ifname": "tap2"})
    driver.detach(vifs.generic("tap2", number=2), guest_at(path))
    assert devices(path)[1] == [f"net-{vifs.identity(1)}"]


def test_a_vhost_user_card_brings_its_socket(driver, machine, guest_at, devices):
    """QEMU connects to one that is there; one where nobody listens is refused, and nothing is left."""
    memory = ("-machine", "memory-backend=ram", "-object", "memory-backend-memfd,id=ram,size=64M,share=on")
    path = machine(*memory, *PORT)
    vif = VIFVHostUser(id=vifs.identity(1), address="52:54:00:00:00:01", mode="client", path=f"{Path(path).parent}/vhu")
    with pytest.raises(exception.HotPlugFailed) as caught:
        driver.attach(vif, guest_at(path))
    assert f"Failed to connect to '{vif.path}': No such file or directory" in str(caught.value)
    assert devices(path) == NOTHING


def test_a_monitor_that_somebody_else_holds_is_told_of(driver, machine, guest_at):
    """QEMU talks to one at a time."""
    cfg.CONF.set_override("hot_plug_timeout", 1, group="os_vif_hypervisor_qemu")
    path = machine(*PORT)
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(path)
        other.recv(1)
        with pytest.raises(exception.HotPlugFailed) as caught:
            driver.attach(vifs.generic("tap1"), guest_at(path))
    assert str(caught.value) == failed(
        "Gave up after 1 seconds while waiting for its greeting; another client may hold the socket"
        f" from QEMU's monitor {path}."
    )


def test_a_monitor_for_people_is_told_of(driver, machine, guest_at, tmp_path):
    """QEMU has two kinds of them, and users mix them up."""
    path = tmp_path / "hmp"
    machine("-monitor", f"unix:{path},server=on,wait=off")
    reason = f"{path} does not speak QMP; start QEMU with -qmp, not with -monitor."
    with pytest.raises(exception.HotPlugFailed) as caught:
        driver.attach(vifs.generic("tap1"), guest_at(str(path)))
    assert str(caught.value) == failed(reason)


def test_a_qemu_that_ends_meanwhile_is_told_of(driver, guest_at, tmp_path):
    """It closes its monitor before it answers."""
    path = tmp_path / "qmp"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=lambda: listening.accept()[0].close()).start()
        with pytest.raises(exception.HotPlugFailed) as caught:
            driver.attach(vifs.generic("tap1"), guest_at(path))
    assert str(caught.value) == failed(f"QEMU closed its monitor {path}.")


def test_a_guest_that_did_not_hear_is_asked_again(driver, guest_at, tmp_path, monkeypatch):
    """It was booting. This stand-in for QEMU has its guest let go when it is asked for the second time."""
    monkeypatch.setattr(hotplug, "_PATIENCE", 0.1)
    card = f"nic-{vifs.identity(1)}"
    asked = []

    def answers(command):
        if command == "device_del":
            asked.append(command)
            if len(asked) == 2:
                yield {"event": "DEVICE_DELETED", "data": {"device": card}}
        results = {"query-status": {"status": "running"}, "qom-list": [{"name": card, "type": "child<virtio-net-pci>"}]}
        yield {"return": results.get(command, {})}

    with standing_in(tmp_path / "qmp", answers):
        driver.detach(vifs.generic("tap1"), guest_at(tmp_path / "qmp"))
    assert len(asked) == 2


@contextlib.contextmanager
def standing_in(path, answers):
    """Speaks QMP at a path; answers() makes the messages that follow on a command."""

    def serve():
        connection, _ = listening.accept()
        with connection, connection.makefile("rw") as stream:
            tell(stream, {"QMP": {"version": {"qemu": {"major": 9, "minor": 0, "micro": 0}}, "capabilities": []}})
            for line in stream:
                for message in answers(json.loads(line)["execute"]):
                    tell(stream, message)

    def tell(stream, message):
        stream.write(f"{json.dumps(message)}\n")
        stream.flush()

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ("/nowhere/qmp", "its monitor does not answer at /nowhere/qmp: No such file or directory."),
        ("", "nobody told where its monitor is (the guest's endpoint: the path of its QMP socket)."),
    ],
)
def test_a_guest_that_is_not_there(driver, guest_at, endpoint, reason):
    """It cannot be given anything, and has let go of everything."""
    with pytest.raises(exception.GuestNotFound) as caught:
        driver.attach(vifs.generic("tap1"), guest_at(endpoint))
    assert str(caught.value) == f"qemu has no guest guest: {reason}"
    driver.detach(vifs.generic("tap1"), guest_at(endpoint))
