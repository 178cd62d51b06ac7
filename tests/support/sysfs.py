# SPDX-License-Identifier: Apache-2.0
"""Trees as a kernel's sysfs shows them for network cards with virtual functions, from short descriptions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Netdev:
    """A network device. ``pci`` is the address it is listed at; the others are attributes ("" where it has none)."""

    name: str
    pci: str = ""
    phys_switch_id: str = ""
    phys_port_name: str = ""


@dataclass(frozen=True)
class Card:
    """Physical functions with the addresses of their virtual functions, in order, and all network devices."""

    functions: Mapping[str, Sequence[str]]
    netdevs: Sequence[Netdev] = field(default_factory=tuple)


def build(root: Path, *cards: Card) -> Path:
    """Writes the tree and returns its root."""
    (root / "class" / "net").mkdir(parents=True)
    for card in cards:
        for function, virtual in card.functions.items():
            _functions(root, function, virtual)
        for netdev in card.netdevs:
            _netdev(root, netdev)
    return root


def _functions(root: Path, function: str, virtual: Sequence[str]) -> None:
    for name in ("sriov_totalvfs", "sriov_numvfs"):
        (_device(root, function) / name).write_text(f"{len(virtual)}\n")
    for number, address in enumerate(virtual):
        _link(_device(root, function) / f"virtfn{number}", _device(root, address))
        _link(_device(root, address) / "physfn", _device(root, function))


def _netdev(root: Path, netdev: Netdev) -> None:
    home = _device(root, netdev.pci) if netdev.pci else root / "devices" / "virtual"
    directory = home / "net" / netdev.name
    directory.mkdir(parents=True)
    for name in ("phys_switch_id", "phys_port_name"):
        if value := getattr(netdev, name):
            (directory / name).write_text(value + "\n")
    _link(root / "class" / "net" / netdev.name, directory)
    _link(directory / "subsystem", root / "class" / "net")
    if netdev.pci:
        _link(directory / "device", home)


def _device(root: Path, address: str) -> Path:
    directory = root / "devices" / "pci0000:00" / address
    if not directory.exists():
        directory.mkdir(parents=True)
        _link(root / "bus" / "pci" / "devices" / address, directory)
    return directory


def _link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # As the kernel does, which names the target also where its name could be left out: programs read it there.
    path.symlink_to(Path(os.path.relpath(target.parent, path.parent)) / target.name)
