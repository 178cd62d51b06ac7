# SPDX-License-Identifier: Apache-2.0
"""A conversation with QEMU's monitor: JSON over a Unix socket, one line per message (QEMU: docs/interop/qmp-spec).

Why not a library: docs/adr/0009-qmp-client.md.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.foreign import Reader, parse_json
from os_vif.host.process import polling
from os_vif.host.process.deadline import Deadline

if TYPE_CHECKING:
    from typing import Self

Message = dict[str, Any]

#: Bytes of one message, and messages that are kept for who may want them: QEMU's own are far below. Whoever has its
#: socket, a guest that broke out of it perhaps, is not to fill our memory.
_LONGEST_MESSAGE = 1 << 20
_LONGEST_EVENT, _MOST_EVENTS = 1 << 14, 200
#: Devices of one machine, or parts of one device, that are looked through.
_MOST_ITEMS = 10_000


class Refused(Exception):
    """QEMU said no. ``kind`` is the class of the error, such as DeviceNotFound; ``str()`` is QEMU's own words."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class Reply(Reader):
    """A reply of QEMU's; one of another shape than QEMU gives it is an OSError: somebody else answers."""

    def error(self, field: str, reason: str) -> OSError:
        return OSError(f"{field}: {reason}; that is not what QEMU answers")


class Monitor:
    """A connection, for one thread. QEMU talks to one client per socket at a time: be brief.

    Raises OSError when nobody is there, or the connection ends; DeadlineExceeded when QEMU does not answer.
    """

    def __init__(self, path: str, deadline: Deadline) -> None:
        self._path = path
        self._deadline = deadline
        self._buffer = b""
        self._events: list[Message] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(deadline.remaining())
            self._socket.connect(path)
            greeting = self._next("its greeting; another client may hold the socket").get("QMP")
            if not isinstance(greeting, dict):
                raise self._no_qmp()
            self.greeting: Message = greeting
            self.execute("qmp_capabilities")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def version(self) -> str:
        """QEMU's version, such as 9.2.0."""
        version = self.greeting.get("version")
        numbers = version.get("qemu") if isinstance(version, dict) else None
        if not isinstance(numbers, dict):
            raise self._no_qmp()
        return ".".join(f"{numbers.get(part)}"[:8] for part in ("major", "minor", "micro"))

    def execute(self, command: str, **arguments: Any) -> Any:
        """Runs a command and returns its result. Events that come meanwhile are kept. Raises Refused."""
        message = {"execute": command, "arguments": arguments} if arguments else {"execute": command}
        self._socket.sendall(json.dumps(message).encode() + b"\n")
        while True:
            answer = self._next(f"the answer to {command}")
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise _refused(answer["error"])
            self._keep(answer)

    def ask(self, command: str, **arguments: Any) -> Reply:
        """What a command returns that returns an object."""
        return Reply(self.execute(command, **arguments), f"{self._path}: {command}")

    def ask_all(self, command: str, **arguments: Any) -> Iterable[Reply]:
        """The same for a command that returns a list of objects."""
        whole = Reply({command: self.execute(command, **arguments)}, self._path)
        return whole.each(command, most=_MOST_ITEMS)

    def wait_for(self, wanted: Callable[[Message], bool], what: str, *, seconds: float) -> Message | None:
        """The first event that is wanted, also of those that came since the connection was made.

        None when it has not come within so many ``seconds``.
        """
        patience = Deadline(seconds)
        while True:
            for event in self._events:
                if wanted(event):
                    self._events.remove(event)
                    return event
            if not self._has_more(patience.remaining()):
                self._deadline.check(f"{what} from QEMU's monitor {self._path}")
                return None
            message = self._next(what)
            if "event" in message:
                self._keep(message)

    def _has_more(self, seconds: float) -> bool:
        """Whether there is something to read; waits for it, but not beyond the deadline."""
        if b"\n" in self._buffer:
            return True
        return polling.wait(self._socket, polling.POLLIN, min(seconds, self._deadline.remaining()))

    def _next(self, what: str) -> Message:
        self._check_time(what)
        while b"\n" not in self._buffer:
            if len(self._buffer) > _LONGEST_MESSAGE:
                raise OSError(f"{self._path} sends a message of more than {_LONGEST_MESSAGE} bytes")
            self._receive(what)
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = parse_json(line)
        except ValueError as error:
            raise self._no_qmp() from error
        if not isinstance(message, dict):
            raise self._no_qmp()
        if len(line) > _LONGEST_EVENT and "event" in message:
            return {"event": str(message["event"])[:100]}
        return message

    def _keep(self, event: Message) -> None:
        """The latest are what somebody may wait for."""
        self._events.append(event)
        del self._events[:-_MOST_EVENTS]

    def _no_qmp(self) -> OSError:
        return OSError(f"{self._path} does not speak QMP; start QEMU with -qmp, not with -monitor")

    def _check_time(self, what: str) -> None:
        self._deadline.check(f"{what} from QEMU's monitor {self._path}")

    def _receive(self, what: str) -> None:
        self._check_time(what)
        self._socket.settimeout(max(self._deadline.remaining(), 0.001))
        try:
            received = self._socket.recv(1 << 16)
        except TimeoutError:
            raise exception.DeadlineExceeded(
                seconds=f"{self._deadline.seconds:g}", what=f"{what} from QEMU's monitor {self._path}"
            ) from None
        if not received:
            raise ConnectionResetError(f"QEMU closed its monitor {self._path}")
        self._buffer += received


def _refused(error: object) -> Refused:
    told = error if isinstance(error, dict) else {"desc": error}
    return Refused(str(told.get("class", ""))[:100], str(told.get("desc", ""))[:1000])
