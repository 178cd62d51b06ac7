# SPDX-License-Identifier: Apache-2.0
"""Guests of the demo: network namespaces, attached to a bridge as a hypervisor attaches a virtual machine's tap."""

from __future__ import annotations

import re
import subprocess
from typing import Any, NamedTuple

from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode


class Pinged(NamedTuple):
    """How a ping went; ``milliseconds`` is the average round trip."""

    sent: int
    answered: int
    milliseconds: float

    @property
    def ok(self) -> bool:
        """Whether all were answered."""
        return self.answered == self.sent


class Guest:
    """A guest called ``name``, with the address that its VIF's network gives it."""

    def __init__(self, name: str, vif: Any) -> None:
        subnet = vif.network.subnets[0]
        self.name = name
        self.vif = vif
        self.address = str(subnet.ips[0].address)
        self._prefix = subnet.cidr.prefixlen

    def attach(self) -> None:
        """The other end of the tap is the guest's eth0; here it is a veth, since nobody would read from a tap."""
        tap, bridge, mac, mtu = (
            self.vif.vif_name,
            self.vif.bridge_name,
            str(self.vif.address),
            str(self.vif.network.mtu),
        )
        run("ip", "netns", "add", self.name)
        peer = ("peer", "name", "eth0", "mtu", mtu, "address", mac, "netns", self.name)
        run("ip", "link", "add", tap, "mtu", mtu, "type", "veth", *peer)
        run("ip", "link", "set", tap, "master", bridge, "up")
        run("ip", "-n", self.name, "address", "add", f"{self.address}/{self._prefix}", "dev", "eth0")
        run("ip", "-n", self.name, "link", "set", "eth0", "up")

    def detach(self) -> None:
        """The guest is gone, and its tap with it."""
        run("ip", "link", "delete", self.vif.vif_name)
        run("ip", "netns", "delete", self.name)

    def ping(self, other: Guest) -> Pinged:
        """Three pings to another guest."""
        command = ("ip", "netns", "exec", self.name, "ping", "-n", "-q", "-c3", "-i0.2", "-W1", other.address)
        printed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        counts = re.search(r"(\d+) packets transmitted, (\d+) received", printed.stdout)
        if counts is None:
            raise _failed(command, printed)
        average = re.search(r"= [\d.]+/([\d.]+)/", printed.stdout)
        return Pinged(int(counts[1]), int(counts[2]), float(average[1]) if average else 0.0)


def run(*command: str) -> str:
    """Runs a program and returns what it printed. Raises CommandError."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode:
        raise _failed(command, done)
    return done.stdout


def _failed(command: tuple[str, ...], done: subprocess.CompletedProcess[str]) -> CommandError:
    words = " ".join((done.stderr or done.stdout).split())
    return CommandError(f"`{' '.join(command)}` failed: {words}", code="demo", exit_code=ExitCode.FAILED)
