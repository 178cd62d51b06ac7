# SPDX-License-Identifier: Apache-2.0
"""VXLAN devices, by iproute2: what is there, what it takes for one to be as stated, and doing it.

A device is made in a group of its own (IFLA_GROUP), from its first moment: that is how it is known to be ours.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from os_vif import exception
from os_vif.backend import Holding, HostAccess, Marked, Operation, OperationFailed, Outcome, Purpose, Resource, Step
from vif_plug_vxlan.resource import Vxlan

GROUP = 0x76786C
_PORT = 4789
#: The address of all that is for nobody in particular, and for guests that are not known yet.
_ALL = "00:00:00:00:00:00"


@dataclass(frozen=True)
class Found:
    """A device of the name."""

    kind: str
    ours: bool
    up: bool
    mtu: int
    master: str
    vni: int
    local: str
    peers: frozenset[str]


class VxlanBackend:
    """Those of the network namespace of the calling thread."""

    def __init__(self, host: HostAccess, home: str) -> None:
        self._host = host

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> Mapping[str, Found | None]:
        """By the names of the devices."""
        return {resource.name: _found(resource.name) for resource in resources if isinstance(resource, Vxlan)}

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        """Raises ForeignDevice for what is not ours, or is for another network."""
        assert isinstance(resource, Vxlan)
        found = actual[resource.name]
        holding = Holding(resource, made=True)
        if found is None:
            return Outcome(holding, (_add(resource), *_changes(resource, None)))
        if not found.ours or (found.vni, found.local) != (resource.vni, resource.local):
            reason = f"there is a {found.kind or 'device'} of that name already."
            raise exception.ForeignDevice(device=resource.name, vif_id=purpose.vif_id, reason=reason)
        return Outcome(holding, tuple(_changes(resource, found)))

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        """The device, with its peers; what is not ours stays."""
        found = actual[holding.resource.device_name]
        return (_delete(holding.resource.device_name),) if found is not None and found.ours else ()

    def is_there(self, holding: Holding, actual: Any, purpose: Purpose) -> bool:
        """Whether anything is left of it."""
        return actual[holding.resource.device_name] is not None

    def marked(self) -> Sequence[Marked]:
        """All in our group. They serve the VIFs of a network, and none in particular."""
        devices = _ask("ip", "-d", "link", "show", "type", "vxlan")
        names = [device["ifname"] for device in devices if device.get("group") == str(GROUP)]
        ours = [Vxlan(name=name, vni=0, local="", master="?", shared=True) for name in names]
        return [Marked("", resource) for resource in ours]

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """One after the other. Raises OperationFailed."""
        for number, operation in enumerate(operations):
            try:
                _command(*operation.arguments["command"])
            except (OSError, _Refused) as error:
                raise OperationFailed(number, 0, str(error)) from error


def _changes(resource: Vxlan, found: Found | None) -> Iterator[Step]:
    name = resource.name
    if resource.mtu and (found is None or found.mtu != resource.mtu):
        yield _set(name, "mtu", str(resource.mtu), str(found.mtu if found else resource.mtu))
    known = found.peers if found else frozenset()
    for peer in sorted({*resource.peers} - known):
        yield _peer(name, peer, "append", "delete", "add")
    for peer in sorted(known - {*resource.peers}):
        yield _peer(name, peer, "delete", "append", "remove")
    if found is None or found.master != resource.master:
        yield _set(name, "master", resource.master, found.master if found else "")
    if found is None or not found.up:
        yield _step(name, f"bring {name} up", ("ip", "link", "set", name, "up"), ("ip", "link", "set", name, "down"))


def _add(resource: Vxlan) -> Step:
    options = ("id", resource.vni, "local", resource.local, "dstport", _PORT)
    make = ("ip", "link", "add", resource.name, "group", GROUP, "type", "vxlan", *options)
    text = f"create {resource.label} for network {resource.vni}"
    return _step(resource.name, text, make, ("ip", "link", "delete", resource.name))


def _delete(name: str) -> Step:
    return _step(name, f"delete VXLAN device {name}", ("ip", "link", "delete", name))


def _set(name: str, what: str, new: str, old: str) -> Step:
    undo = ("ip", "link", "set", name, *((what, old) if old else ("nomaster",)))
    return _step(name, f"set {what} of {name} to {new}", ("ip", "link", "set", name, what, new), undo)


def _peer(name: str, peer: str, action: str, undo: str, word: str) -> Step:
    commands = [("bridge", "fdb", verb, _ALL, "dev", name, "dst", peer, "self", "permanent") for verb in (action, undo)]
    return _step(name, f"{word} peer {peer} of {name}", *commands)


def _step(device: str, text: str, command: Sequence[object], undo: Sequence[object] | None = None) -> Step:
    return Step("vxlan", device, text, _operation(command), _operation(undo) if undo else None)


def _operation(command: Sequence[object]) -> Operation:
    return Operation("vxlan.command", {"command": [str(part) for part in command]})


def _found(name: str) -> Found | None:
    try:
        (device,) = _ask("ip", "-d", "link", "show", "dev", name)
    except _Refused as error:
        if "does not exist" in str(error):
            return None
        raise exception.HostError(f"{name} cannot be looked at: {error}") from error
    about = device.get("linkinfo", {})
    data = about.get("info_data", {})
    entries = _ask("bridge", "fdb", "show", "dev", name)
    return Found(
        kind=about.get("info_kind", ""),
        ours=device.get("group") == str(GROUP),
        up="UP" in device["flags"],
        mtu=device["mtu"],
        master=device.get("master", ""),
        vni=data.get("id", 0),
        local=data.get("local", ""),
        peers=frozenset(entry["dst"] for entry in entries if entry["mac"] == _ALL and "dst" in entry),
    )


class _Refused(Exception):
    """In the program's own words."""


def _ask(program: str, *arguments: str) -> Any:
    return json.loads(_command(program, "-j", *arguments) or "[]")


def _command(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise _Refused(" ".join(done.stderr.split()) or f"exit code {done.returncode}")
    return done.stdout
