# SPDX-License-Identifier: Apache-2.0
"""The API of a running Cloud Hypervisor: HTTP over a Unix socket.

Source: vmm/src/api/openapi/cloud-hypervisor.yaml of the project, API version 0.3.0.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from os_vif.foreign import Reader, parse_json

if TYPE_CHECKING:
    from os_vif.host.process.deadline import Deadline

_ROOT = "/api/v1/"
_PAUSE = 0.1
#: Seconds that an answer may take even when there is no time left: it is what tells how things stand.
_SHORTEST = 0.5
#: Bytes of an answer, and interfaces of one machine, that are read.
_LONGEST, _MOST_INTERFACES = 1 << 22, 1000


class Refused(Exception):
    """It answered with an error; ``str()`` is in its own words where it has any."""


class Api:
    """One virtual machine. Raises OSError where nobody is there, or does not answer in time; DeadlineExceeded."""

    def __init__(self, path: str, deadline: Deadline) -> None:
        self._path = path
        self._deadline = deadline

    def version(self) -> str:
        """That of Cloud Hypervisor."""
        return self._look("vmm.ping").pick("version", str, "")

    def shares_memory(self) -> bool:
        """Whether the guest's memory is shared with other processes. Raises Refused."""
        memory = self._look("vm.info").inner("config").inner("memory", {})
        return any(memory.pick(word, bool, default=False) for word in ("shared", "hugepages"))

    def add(self, interface: Mapping[str, Any]) -> None:
        """Adds an interface unless there is one of that id. Raises Refused."""
        if not self._has(str(interface["id"])):
            self._ask("PUT", "vm.add-net", interface)

    def remove(self, interface_id: str) -> None:
        """Removes the interface of that id, if it is there, and waits until the guest let go of it. Raises Refused."""
        if not self._has(interface_id):
            return
        if self._is_configured(interface_id):
            self._ask("PUT", "vm.remove-device", {"id": interface_id})
        while self._has(interface_id):
            self._deadline.check(f"the guest to let go of {interface_id}")
            time.sleep(_PAUSE)

    def _has(self, interface_id: str) -> bool:
        """Also while the guest has yet to let go: then it is in the device tree, and no longer configured."""
        info = self._look("vm.info")
        return _is_among(info, interface_id) or interface_id in info.pick("device_tree", dict, {})

    def _is_configured(self, interface_id: str) -> bool:
        return _is_among(self._look("vm.info"), interface_id)

    def _look(self, what: str) -> _Reply:
        return _Reply(self._ask("GET", what), f"{self._path}: {what}")

    def _ask(self, method: str, what: str, body: Mapping[str, Any] | None = None) -> Any:
        connection = _Connection(self._path, max(self._deadline.remaining(), _SHORTEST))
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, _ROOT + what, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read(_LONGEST + 1).decode(errors="replace")
        except http.client.HTTPException as error:
            raise self._somebody_else(error) from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(f"{what}: {' '.join(text.split()) or f'{answer.status} {answer.reason}'}")
        try:
            return parse_json(text, longest=_LONGEST) if text.strip() else {}
        except ValueError as error:
            raise self._somebody_else(error) from error

    def _somebody_else(self, error: Exception) -> OSError:
        return OSError(f"{self._path} does not answer as Cloud Hypervisor does: {error!r}")


def _is_among(info: _Reply, interface_id: str) -> bool:
    interfaces = info.inner("config").each("net", most=_MOST_INTERFACES)
    return interface_id in {interface.pick("id", str, "") for interface in interfaces}


class _Reply(Reader):
    """What it answers; an answer of another shape than its API has is an OSError: somebody else answers."""

    def error(self, field: str, reason: str) -> OSError:
        return OSError(f"{field}: {reason}; that is not what Cloud Hypervisor answers")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
