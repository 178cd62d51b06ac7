# SPDX-License-Identifier: Apache-2.0
"""The guest's kernel and its initial root file system, made of Debian packages and kept for the next time."""

from __future__ import annotations

import hashlib
import platform
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.guest import debian
from support.guest.archive import Archive
from support.guest.modules import Modules
from support.parts import missing, require

#: What makes an image what it is.
_SOURCES = ("archive.py", "image.py", "modules.py")


@dataclass(frozen=True)
class Image:
    """What QEMU boots."""

    kernel: Path
    initrd: Path


def build(init: str, modules: Sequence[str]) -> Image:
    """An image with a first process (a script beside this file) and modules for it to load; made once.

    Ends the test where that cannot be done.
    """
    if platform.machine() != "x86_64":
        missing(f"the guest has an amd64 kernel, and this machine is a {platform.machine()}")
    require("dpkg-deb", "dpkg")
    kernel, busybox = debian.kernel(), debian.busybox()
    if kernel is None or busybox is None:
        missing("the guest's kernel was not downloaded: make guest-packages")
    script = Path(__file__).with_name(init).read_bytes()
    directory = debian.DIRECTORY.parent / _fingerprint(kernel, busybox, script, modules)
    if not directory.exists():
        _make(directory, kernel, busybox, script, modules)
    return Image(directory / "vmlinuz", directory / "initrd.img")


def _fingerprint(kernel: Path, busybox: Path, init: bytes, modules: Sequence[str]) -> str:
    sources = [Path(__file__).with_name(name).read_bytes() for name in _SOURCES]
    parts = [kernel.name.encode(), busybox.name.encode(), " ".join(modules).encode(), init, *sources]
    return "guest-" + hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _make(directory: Path, kernel: Path, busybox: Path, init: bytes, modules: Sequence[str]) -> None:
    """Into a directory of its own first: another process may be at it, and this one may be stopped."""
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        root, result = Path(scratch) / "root", Path(scratch) / "result"
        debian.unpack(kernel, root, "./boot/vmlinuz-*", "*/modules.builtin", "*/kernel/*.ko*")
        debian.unpack(busybox, root, "*bin/busybox")
        result.mkdir()
        shutil.copyfile(next(root.glob("boot/vmlinuz-*")), result / "vmlinuz")
        (result / "initrd.img").write_bytes(_initial_root(root, init, modules))
        if not directory.exists():
            result.rename(directory)


def _initial_root(root: Path, init: bytes, wanted: Sequence[str]) -> bytes:
    archive = Archive()
    modules = Modules(root)
    order = modules.in_order(wanted)
    archive.add("bin/busybox", next(root.glob("**/bin/busybox")).read_bytes(), 0o755)
    archive.add("init", init, 0o755)
    archive.add("modules/order", "\n".join(order).encode())
    for name in order:
        archive.add(f"modules/{name}.ko", modules.content(name))
    archive.add_console()
    return archive.to_bytes()
