# SPDX-License-Identifier: Apache-2.0
"""The control socket of a daemon of Open vSwitch: commands, refusals, and whatever else may listen there."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from os_vif.host.ovsdb import unixctl
from os_vif.host.process.deadline import Deadline


@pytest.fixture
def control(switch):
    return f"{switch.directory}/ovs-vswitchd.ctl"


@pytest.fixture
def answering(tmp_path):
    """Somebody else who listens, and answers so: answering(b"...") is the path of the socket."""
    listener = socket.socket(socket.AF_UNIX)
    path = str(tmp_path / "ctl")
    listener.bind(path)
    listener.listen()
    held = []

    def start(answer, *, stays=False):
        def serve():
            connection, _ = listener.accept()
            connection.recv(1 << 16)
            with contextlib.suppress(OSError):  # nobody listens to so much
                connection.sendall(answer)
            held.append(connection)
            if not stays:
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        return path

    yield start
    listener.close()
    for connection in held:
        connection.close()


def test_a_command_is_answered(control):
    assert unixctl.call(control, "version", (), Deadline(20)).startswith("ovs-vswitchd (Open vSwitch) ")


def test_a_refusal_has_the_words_of_the_daemon(control):
    with pytest.raises(unixctl.CommandRefused, match="br-none: unknown bridge"):
        unixctl.call(control, "ofproto/trace", ("br-none", "in_port=1"), Deadline(20))


def test_nobody_is_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        unixctl.call(str(tmp_path / "none"), "version", (), Deadline(20))


@pytest.mark.parametrize("answer", [b"", b"hello\n", b'{"id":0,"result":', b"[1,2]", b"\xff\xfe"])
def test_somebody_else_answers(answering, answer):
    """It is an error of the connection, which says nothing of the switch."""
    with pytest.raises(ConnectionError):
        unixctl.call(answering(answer), "version", (), Deadline(20))


def test_an_answer_that_does_not_end_is_given_up(answering):
    """Nobody fills our memory."""
    endless = b'{"id":0,"result":"' + b"x" * (1 << 23)
    with pytest.raises(ConnectionError, match="does not end"):
        unixctl.call(answering(endless), "version", (), Deadline(60))


def test_who_says_nothing_is_waited_for_until_the_deadline(answering):
    with pytest.raises(TimeoutError):
        unixctl.call(answering(b"", stays=True), "version", (), Deadline(0.3))
