# SPDX-License-Identifier: Apache-2.0
"""Hosts on which the command runs: each a network namespace with an Open vSwitch and a state directory of its own.

Hosts in one directory see the same networks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from support.guest.small import Guest
from support.netns import Namespace
from support.ovs import Switch
from support.vif_command import command

#: What the network side knows the network by.
NETWORK = "blue"

#: Without Debian's ipxe-qemu there is nothing to boot a guest from the network with.
_QEMU = ("--hypervisor", "qemu", "--option", "romfile=")

_CONFIGURATION = """
[os_vif]
host = {name}
[os_vif_ovs]
ovsdb_connection = {database}
[os_vif_network_local]
database = {directory}/networks.db
ovs_datapath_type = netdev
"""


class Host:
    """``switch`` is its Open vSwitch, in userspace; whether anything is on it is the network's matter."""

    def __init__(self, name: str, namespace: Namespace, directory: Path, more: str = "") -> None:
        """``more``: of the configuration."""
        self.name, self.ns = name, namespace
        self.switch = Switch(namespace)
        self._state = directory / name
        self._configuration = directory / f"{name}.conf"
        told = _CONFIGURATION.format(name=name, database=self.switch.remote, directory=directory)
        self._configuration.write_text(told + more)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.switch.close()

    def vif(self, *words: str | Path) -> Any:
        """Runs the command; returns what it answers."""
        printed = self.ns.run(self._command(*words)).stdout
        return json.loads(printed) if printed.strip() else None

    def ask(self, *words: str | Path) -> tuple[int, Any]:
        """Runs a command that may end with another code than 0; returns that, and what it answers."""
        done = self.ns.run(self._command(*words), check=False)
        return done.returncode, json.loads(done.stdout)

    def _command(self, *words: str | Path) -> list[str | Path]:
        more = ("--config-file", self._configuration, "--state-dir", self._state, "--output", "json")
        return [command(), *words, *more]

    def attach(self, guest: str, *words: str | Path, network: str = NETWORK) -> Any:
        """Gives an interface to a guest of QEMU, one that is to start unless ``words`` say otherwise."""
        return self.vif("attach", guest, *_QEMU, "--network", network, *words)

    def prepare(self, guest: str, *words: str | Path, network: str = NETWORK) -> Any:
        """The same for a guest that is to come here."""
        return self.vif("migrate", "prepare", guest, *_QEMU, "--network", network, *words)

    def traces(self) -> dict[str, Any]:
        """What may be left of guests. Bridges of Open vSwitch stay with their networks."""
        look = self.switch.look()
        of_switch = look["Bridge"].keys() | {"ovs-netdev"}
        return {
            "attachments": self.vif("attachments"),
            "devices": self.ns.link_names() - of_switch,
            "ports": look["Port"].keys() - of_switch,
        }


def address(attached: Mapping[str, Any]) -> str:
    """The IP address of what was attached, without the length of its prefix."""
    found: str = attached["ip_addresses"][0].partition("/")[0]
    return found


def boot(host: Host, attached: Mapping[str, Any], *more: list[str]) -> Guest:
    """A guest with the arguments that the command printed, and its address on eth0; see Guest.wait()."""
    return Guest(host.ns, *more, attached["rendering"]["data"], address=attached["ip_addresses"][0])


def configure(guest: Guest, attached: Mapping[str, Any]) -> str:
    """Sets the address in a running guest once it sees the card; returns the card's name."""
    find = f"grep -l {attached['mac_address']} /sys/class/net/*/address"
    name = guest.run(f"for try in $(seq 100); do {find} && break; sleep 0.1; done").split("/")[4]
    guest.run(f"ip link set {name} up && ip address add {attached['ip_addresses'][0]} dev {name}")
    return name
