# SPDX-License-Identifier: Apache-2.0
"""Network cards with virtual functions that the kernel has: an emulated one, and a simulated one with a switch."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from support.netns import Namespace
from support.sysfs import Card, Netdev, build

T = TypeVar("T")

_PCI, _SIMULATED = Path("/sys/bus/pci/devices"), Path("/sys/bus/netdevsim")


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
        end = time.monotonic() + 120
        while not all(self.links_at(address) for address in self.functions):
            assert time.monotonic() < end, "the virtual functions get no network devices"
            time.sleep(0.05)

    def links_at(self, address: str) -> list[dict[str, Any]]:
        """The network devices that the kernel says are at a PCI address, as `ip -j -d link` tells of them."""
        return [link for link in _links() if link.get("parentdev") == address]

    def above(self, name: str) -> list[str]:
        """The devices on top of another."""
        return [link["ifname"] for link in _links() if link.get("link") == name]


class SimulatedSwitch:
    """netdevsim in switchdev mode, with a port and two virtual functions. It is on no bus of the kernel's but its own.

    ``representors`` are the names of their representors, by number, as devlink tells; they are in the namespace.
    """

    #: Addresses that it would have, were it a PCI card.
    PHYSICAL, FUNCTIONS = "0000:03:00.0", ("0000:03:00.2", "0000:03:00.3")

    def __init__(self, namespace: Namespace) -> None:
        (_SIMULATED / "new_device").write_text("1 1")
        (_SIMULATED / "devices" / "netdevsim1" / "sriov_numvfs").write_text("2")
        _run("devlink", "dev", "eswitch", "set", "netdevsim/netdevsim1", "mode", "switchdev")
        ports = json.loads(_run("devlink", "-j", "port"))["port"].values()
        self.representors = {port["vfnum"]: port["netdev"] for port in ports if port["flavour"] == "pcivf"}
        # Only now: who leaves the namespace of /sys is not seen there any more.
        self._netdevs = [_recorded(port["netdev"], self.PHYSICAL) for port in ports]
        for netdev in self._netdevs:
            _run("ip", "link", "set", netdev.name, "netns", namespace.name)

    def record(self, root: Path) -> Path:
        """A tree of sysfs with its devices as the kernel showed them, at the addresses of a PCI card."""
        return build(root, Card({self.PHYSICAL: self.FUNCTIONS}, self._netdevs))

    def close(self) -> None:
        """Takes it away, with all its devices."""
        (_SIMULATED / "del_device").write_text("1")


def _recorded(name: str, address: str) -> Netdev:
    directory = Path("/sys/class/net") / name
    switch, port = ((directory / key).read_text().strip() for key in ("phys_switch_id", "phys_port_name"))
    return Netdev(name, address, switch, port)


def _links() -> list[dict[str, Any]]:
    return [dict(link) for link in json.loads(_run("ip", "-j", "-d", "link"))]


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Here:
    """Where this process is: in the one namespace that sees the emulated card's devices in /sys."""

    def inside(self, function: Callable[[], T]) -> T:
        """Calls a function."""
        return function()
