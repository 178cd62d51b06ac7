# SPDX-License-Identifier: Apache-2.0
"""The API of a running Cloud Hypervisor.

Source: vmm/src/api/openapi/cloud-hypervisor.yaml of the project, API version 0.3.0.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from os_vif.hypervisors.http_api import HttpApi, Refused, Reply

if TYPE_CHECKING:
    from os_vif.host.process.deadline import Deadline

__all__ = ["Api", "Refused"]

_ROOT = "/api/v1/"
_PAUSE = 0.1
#: Interfaces of one machine that are read.
_MOST_INTERFACES = 1000


class Api:
    """One virtual machine. Raises OSError where nobody is there, or does not answer in time; DeadlineExceeded."""

    def __init__(self, path: str, deadline: Deadline) -> None:
        self._http = HttpApi(_Answer, path, deadline)

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
            self._http.put(_ROOT + "vm.add-net", interface)

    def remove(self, interface_id: str) -> None:
        """Removes the interface of that id, if it is there, and waits until the guest let go of it. Raises Refused."""
        if not self._has(interface_id):
            return
        if self.is_configured(interface_id):
            self._http.put(_ROOT + "vm.remove-device", {"id": interface_id})
        while self._has(interface_id):
            self._http.deadline.check(f"the guest to let go of {interface_id}")
            time.sleep(_PAUSE)

    def is_configured(self, interface_id: str) -> bool:
        """Whether the machine is to have an interface of that id. Raises Refused."""
        return _is_among(self._look("vm.info"), interface_id)

    def _has(self, interface_id: str) -> bool:
        """Also while the guest has yet to let go: then it is in the device tree, and no longer configured."""
        info = self._look("vm.info")
        return _is_among(info, interface_id) or interface_id in info.pick("device_tree", dict, {})

    def _look(self, what: str) -> Reply:
        return self._http.get(_ROOT + what)


def _is_among(info: Reply, interface_id: str) -> bool:
    interfaces = info.inner("config").each("net", most=_MOST_INTERFACES)
    return interface_id in {interface.pick("id", str, "") for interface in interfaces}


class _Answer(Reply):
    PRODUCT = "Cloud Hypervisor"
