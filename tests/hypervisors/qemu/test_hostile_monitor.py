# SPDX-License-Identifier: Apache-2.0
"""Who is at the other end of a monitor may be a guest that broke out of QEMU: he gets the better of nobody."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from os_vif import exception
from os_vif.host.process.deadline import Deadline
from os_vif.hypervisors.driver import Guest
from os_vif.hypervisors.qemu.qmp import Monitor, Refused
from os_vif.loading import drivers
from support import vifs

GREETING = b'{"QMP": {"version": {"qemu": {"major": 9, "minor": 2, "micro": 0}}}}\n'
FINE = b'{"return": {}}\n'
NO_QMP = "{} does not speak QMP; start QEMU with -qmp, not with -monitor"


@pytest.fixture
def pretend():
    """Answers at a socket with these bytes, then with ``more`` again and again; returns the socket's path."""
    directory = Path(tempfile.mkdtemp(prefix="os-vif-qmp-"))
    listening = socket.socket(socket.AF_UNIX)
    over = threading.Event()

    def start(first: bytes, more: bytes = b"") -> str:
        path = directory / "qmp"
        listening.bind(str(path))
        listening.listen()
        threading.Thread(target=serve, args=(first, more), daemon=True).start()
        return str(path)

    def serve(first: bytes, more: bytes) -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(first)
            while more and not over.is_set():
                connection.sendall(more)
            over.wait(60)

    yield start
    over.set()
    listening.close()


def peak() -> int:
    """MiB that this process has ever used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def test_a_message_without_end(pretend):
    """It is cut off where no message of QEMU's comes near."""
    path, before = pretend(GREETING, b"x" * 65536), peak()
    with pytest.raises(OSError) as caught:
        Monitor(path, Deadline(60))
    assert str(caught.value) == f"{path} sends a message of more than 1048576 bytes"
    assert peak() - before < 64


def test_events_without_end(pretend):
    """Until the time is over; they are not all kept."""
    event = json.dumps({"event": "E", "data": "x" * 200_000}).encode() + b"\n"
    path, before = pretend(GREETING, event), peak()
    with pytest.raises(exception.DeadlineExceeded):
        Monitor(path, Deadline(1))
    assert peak() - before < 64


@pytest.mark.parametrize(
    "greeting",
    [b"[]\n", b"1\n", b'"QMP"\n', b"{}\n", b'{"QMP": []}\n', b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"hello\n", b"\n"],
)
def test_what_is_no_greeting(pretend, greeting):
    """One error, with what to do."""
    path = pretend(greeting)
    with pytest.raises(OSError) as caught:
        Monitor(path, Deadline(60))
    assert str(caught.value) == NO_QMP.format(path)


@pytest.mark.parametrize("error", [b"1", b"[]", b"null", b'{"desc": 5}', b'{"class": [], "desc": {}}'])
def test_a_refusal_of_any_shape(pretend, error):
    """It is one."""
    path = pretend(GREETING + FINE + b'{"error": ' + error + b"}\n")
    with Monitor(path, Deadline(60)) as monitor, pytest.raises(Refused):
        monitor.execute("query-status")


def test_a_version_of_any_shape(pretend):
    """It is asked for later than the greeting is read."""
    path = pretend(b'{"QMP": {"version": 3}}\n' + FINE)
    with Monitor(path, Deadline(60)) as monitor, pytest.raises(OSError, match="does not speak QMP"):
        _ = monitor.version


def test_descriptors_beyond_what_select_takes(pretend):
    """A service with many guests has more than 1,023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    taken = []
    try:
        while not taken or taken[-1] < 1100:
            taken.append(os.open("/dev/null", os.O_RDONLY))
        path = pretend(GREETING + FINE)
        with Monitor(path, Deadline(60)) as monitor:
            assert monitor.wait_for(lambda event: True, "anything", seconds=0.01) is None
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (b"5", "query-status: an object is needed, not 5"),
        (b"{}", "query-status.status: is missing"),
        (b'{"status": []}', "query-status.status: a string is needed, not []"),
    ],
)
def test_a_status_of_any_shape(pretend, result, reason):
    """Removing begins with asking for it."""
    path = pretend(GREETING + FINE + b'{"return": ' + result + b"}\n")
    with Monitor(path, Deadline(60)) as monitor, pytest.raises(OSError) as caught:
        monitor.ask("query-status").pick("status", str)
    assert str(caught.value) == f"{path}: {reason}; that is not what QEMU answers"


@pytest.mark.parametrize("children", [b"{}", b"[1]", b'[{"name": 1, "type": ""}]', b'[{"name": "a"}]', b"[null]"])
def test_devices_of_any_shape(pretend, children):
    """Whether the card is there cannot be told: nothing is done, and that is one error."""
    path = pretend(GREETING + FINE + b'{"return": {"status": "running"}}\n{"return": ' + children + b"}\n")
    driver = drivers.load(drivers.HYPERVISORS, "qemu")
    with pytest.raises(exception.HotPlugFailed, match=f"{path}.qom-list.*that is not what QEMU answers"):
        driver.detach(vifs.generic("tap1"), Guest("guest", vifs.INSTANCE.uuid, endpoint=path))
