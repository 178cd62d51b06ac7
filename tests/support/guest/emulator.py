# SPDX-License-Identifier: Apache-2.0
"""QEMU: the installed one, or a later one with an emulated network card that has virtual functions."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.guest import debian
from support.parts import missing, require


@dataclass(frozen=True)
class Emulator:
    """A program with what it needs around it to run."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)


def installed() -> Emulator:
    """The installed one. Ends the test where there is none."""
    return Emulator((require("qemu-system-x86_64", "qemu-system-x86"),))


def with_cards() -> Emulator:
    """One that has the card igb. Ends the test where there is none."""
    ours = installed()
    if debian.emulates_cards(ours.command[0]):
        return ours
    packages = debian.emulator()
    if not packages:
        missing(
            "this QEMU emulates no network card with virtual functions, and no later one is here: make guest-packages"
        )
    root = debian.DIRECTORY.parent / f"qemu-{hashlib.sha256(str(packages).encode()).hexdigest()[:16]}"
    if not root.exists():
        _unpack(packages, root)
    # The libraries and the firmware of the installed one do; its modules do not.
    command = (f"{root}/usr/bin/qemu-system-x86_64", "-L", f"{root}/usr/share/qemu", "-L", "/usr/share/seabios")
    [modules] = root.glob("usr/lib/*/qemu")
    return Emulator(command, os.environ | {"QEMU_MODULE_DIR": str(modules)})


def _unpack(packages: list[Path], root: Path) -> None:
    """Into a directory of its own first: another process may be at it, and this one may be stopped."""
    with tempfile.TemporaryDirectory(dir=root.parent) as scratch:
        result = Path(scratch) / "root"
        for package in packages:
            debian.unpack(package, result, "./usr/*")
        if not root.exists():
            result.rename(root)
