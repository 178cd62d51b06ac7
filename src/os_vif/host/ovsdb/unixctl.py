# SPDX-License-Identifier: Apache-2.0
"""Commands for a daemon of Open vSwitch by its control socket, as ovs-appctl(8) gives them: JSON-RPC, one by one."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence

from os_vif.host.ovsdb.stream import Splitter
from os_vif.host.process.deadline import Deadline

_SIZE = 1 << 16
#: Bytes of an answer; the trace of a packet through a large switch has some ten thousand.
_LONGEST = 1 << 22


class CommandRefused(Exception):
    """The daemon answered that it cannot do that, and why."""


def call(path: str, command: str, arguments: Sequence[str], deadline: Deadline) -> str:
    """What the daemon prints. Raises CommandRefused, TimeoutError, and OSError where it cannot be reached."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_left(deadline))
        connection.connect(path)
        connection.sendall(json.dumps({"method": command, "params": list(arguments), "id": 0}).encode())
        answer = _receive(connection, deadline)
    if answer.get("error") is not None:
        raise CommandRefused(str(answer["error"]).strip())
    return str(answer.get("result", ""))


def _receive(connection: socket.socket, deadline: Deadline) -> dict[str, object]:
    messages = Splitter()
    for _ in range(_LONGEST // _SIZE):
        connection.settimeout(_left(deadline))
        data = connection.recv(_SIZE)
        if not data:
            raise ConnectionResetError("the daemon closed the connection")
        try:
            for message in messages.feed(data):
                return dict(message)
        except ValueError as error:
            raise ConnectionError(f"the daemon does not speak JSON-RPC: {error}") from error
    raise ConnectionError("the answer does not end")


def _left(deadline: Deadline) -> float:
    if not deadline.remaining():
        raise TimeoutError(f"no answer within {deadline.seconds:g} seconds")
    return deadline.remaining()
