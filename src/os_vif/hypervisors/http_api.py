# SPDX-License-Identifier: Apache-2.0
"""The API of a hypervisor that speaks HTTP over a Unix socket: one machine, JSON in both directions."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from os_vif.foreign import Reader, parse_json

if TYPE_CHECKING:
    from os_vif.host.process.deadline import Deadline

#: Seconds that an answer may take even when there is no time left: it is what tells how things stand.
_SHORTEST = 0.5
#: Bytes of an answer that are read.
_LONGEST = 1 << 22
#: Characters of its reason for a refusal that are told.
_LONGEST_REFUSAL = 500


class Refused(Exception):
    """It answered with an error; ``str()`` is in its own words where it has any."""


class Reply(Reader):
    """What a hypervisor answers; an answer of another shape than its API has is an OSError: somebody else answers."""

    PRODUCT: ClassVar[str]

    def error(self, field: str, reason: str) -> OSError:
        return OSError(f"{field}: {reason}; that is not what {self.PRODUCT} answers")


class HttpApi:
    """``reply``: how its answers are read. Methods raise OSError where nobody is there, or does not answer in time."""

    def __init__(self, reply: type[Reply], path: str, deadline: Deadline) -> None:
        self.path = path
        self.deadline = deadline
        self._reply = reply

    def get(self, target: str) -> Reply:
        """What it answers to a look at ``target``, a path. Raises Refused."""
        return self._reply(self._ask("GET", target, None), f"{self.path}: {_last(target)}")

    def put(self, target: str, body: Mapping[str, Any]) -> None:
        """Has it change something. Raises Refused."""
        self._ask("PUT", target, json.dumps(body))

    def _ask(self, method: str, target: str, body: str | None) -> Any:
        connection = _Connection(self.path, max(self.deadline.remaining(), _SHORTEST))
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            text = answer.read(_LONGEST + 1).decode(errors="replace")
        except http.client.HTTPException as error:
            raise self._somebody_else(error) from error
        finally:
            connection.close()
        if answer.status >= 400:
            words = " ".join(text.split())[:_LONGEST_REFUSAL] or f"{answer.status} {answer.reason}"
            raise Refused(f"{_last(target)}: {words}")
        try:
            return parse_json(text, longest=_LONGEST) if text.strip() else {}
        except ValueError as error:
            raise self._somebody_else(error) from error

    def _somebody_else(self, error: Exception) -> OSError:
        return OSError(f"{self.path} does not answer as {self._reply.PRODUCT} does: {error!r}")


def _last(target: str) -> str:
    return target.rpartition("/")[2]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
