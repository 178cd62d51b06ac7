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

from support.guest import debian, netdevsim
from support.guest.archive import Archive
from support.guest.modules import Modules
from support.parts import missing, require

#: What makes an image what it is.
_SOURCES = ("archive.py", "image.py", "modules.py")


@dataclass(frozen=True)
class Image:
    """What QEMU boots."""

    kernel: list[Path]
    initrd: Path


def build(init: str, modules: Sequence[str]) -> Image:
    """An image with a first process (a script beside this file) and modules for it to load; made once.

    Ends the test where that cannot be done.
    """
    if platform.machine() != "x86_64":
        missing(f"the guest has an amd64 kernel, and this machine is a {platform.machine()}")
    require("dpkg-deb", "dpkg")
    kernel, busybox = debian.kernel(), debian.busybox()
    if not kernel or busybox is None:
        missing("the guest's kernel was not downloaded: make guest-packages")
    parts = _Parts(kernel, busybox, Path(__file__).with_name(init).read_bytes(), tuple(modules), _built(modules))
    directory = debian.DIRECTORY.parent / _fingerprint(parts)
    if not directory.exists():
        _make(directory, parts)
    return Image(directory / "vmlinuz", directory / "initrd.img")


@dataclass(frozen=True)
class _Parts:
    """Packages, the script, the names of the modules, and the files of those that are in none of the packages."""

    kernel: Path
    busybox: Path
    init: bytes
    modules: tuple[str, ...]
    built: tuple[Path, ...]


def _built(modules: Sequence[str]) -> tuple[Path, ...]:
    if "netdevsim" not in modules:
        return ()
    module = netdevsim.built()
    if module is None:
        missing("netdevsim was not built, for which gcc and make are needed: make guest-packages")
    return (module,)


def _fingerprint(parts: _Parts) -> str:
    sources = [Path(__file__).with_name(name) for name in _SOURCES]
    names = [*(path.name for path in parts.kernel), parts.busybox.name, " ".join(parts.modules)]
    contents = [parts.init, *(path.read_bytes() for path in [*sources, *parts.built])]
    whole = b"\0".join([*(name.encode() for name in names), *contents])
    return "guest-" + hashlib.sha256(whole).hexdigest()[:16]


def _make(directory: Path, parts: _Parts) -> None:
    """Into a directory of its own first: another process may be at it, and this one may be stopped."""
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        root, result = Path(scratch) / "root", Path(scratch) / "result"
        for package in parts.kernel:
            debian.unpack(package, root)
        debian.unpack(parts.busybox, root, "*bin/busybox")
        result.mkdir()
        kernels = (path for where in ("boot/vmlinuz-*", "usr/lib/modules/*/vmlinuz") for path in root.glob(where))
        shutil.copyfile(next(kernels), result / "vmlinuz")
        (result / "initrd.img").write_bytes(_initial_root(root, parts))
        if not directory.exists():
            result.rename(directory)


def _initial_root(root: Path, parts: _Parts) -> bytes:
    archive = Archive()
    modules = Modules(root, parts.built)
    order = modules.in_order(parts.modules)
    archive.add("bin/busybox", next(root.glob("**/bin/busybox")).read_bytes(), 0o755)
    archive.add("init", parts.init, 0o755)
    archive.add("modules/order", "\n".join(order).encode())
    for name in order:
        archive.add(f"modules/{name}.ko", modules.content(name))
    archive.add_console()
    return archive.to_bytes()
