# SPDX-License-Identifier: Apache-2.0
"""A network card with virtual functions that is really there, and the host that it is in."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

_PCI = Path("/sys/bus/pci/devices")


class RealCard:
    """The first one there is. ``functions`` are the PCI addresses of its virtual functions, in order."""

    def __init__(self) -> None:
        [self.physical, *_] = sorted(path.parent.name for path in _PCI.glob("*/sriov_totalvfs"))
        self.functions: list[str] = []

    def make(self, number: int) -> None:
        """Gives it so many virtual functions instead of those it has; returns when each has its network device."""
        (_PCI / self.physical / "sriov_numvfs").write_text("0")
        if number:
            (_PCI / self.physical / "sriov_numvfs").write_text(str(number))
        found = [_PCI / self.physical / f"virtfn{n}" for n in range(number)]
        self.functions = [path.resolve().name for path in found]
        end = time.monotonic() + 30
        while not all(self.links_at(address) for address in self.functions):
            assert time.monotonic() < end, "the virtual functions get no network devices"
            time.sleep(0.05)

    def links_at(self, address: str) -> list[dict[str, Any]]:
        """The network devices that the kernel says are at a PCI address, as `ip -j -d link` tells of them."""
        return [link for link in _links() if link.get("parentdev") == address]

    def above(self, name: str) -> list[str]:
        """The devices on top of another."""
        return [link["ifname"] for link in _links() if link.get("link") == name]

    def bring_up(self, address: str) -> None:
        """The devices at a PCI address."""
        for link in self.links_at(address):
            subprocess.run(["ip", "link", "set", link["ifname"], "up"], check=True)


def _links() -> list[dict[str, Any]]:
    printed = subprocess.run(["ip", "-j", "-d", "link"], capture_output=True, check=True).stdout
    return [dict(link) for link in json.loads(printed)]


class Here:
    """Where this process is: in the one namespace that sees the card's devices in /sys."""

    def inside(self, function: Callable[[], T]) -> T:
        """Calls a function."""
        return function()
