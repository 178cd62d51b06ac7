# SPDX-License-Identifier: Apache-2.0
"""Kernel modules and what they need, read from the modules themselves: depmod is not always there."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterable, Iterator
from pathlib import Path


class Modules:
    """The modules of an unpacked kernel package, and others for the same kernel, by their files."""

    def __init__(self, root: Path, others: Iterable[Path] = ()) -> None:
        [directory] = [*root.glob("lib/modules/*/kernel"), *root.glob("usr/lib/modules/*/kernel")]
        self._files = {_name(path.name): path for path in [*directory.rglob("*.ko*"), *others]}
        built_in = (directory.parent / "modules.builtin").read_text().splitlines()
        self._built_in = {_name(Path(line).name) for line in built_in}
        self._contents: dict[str, bytes] = {}

    def in_order(self, wanted: Iterable[str]) -> list[str]:
        """The modules wanted and all that they need, each after what it needs. Raises LookupError."""
        order: list[str] = []
        for name in wanted:
            self._visit(_name(name), order, required=True)
        return order

    def content(self, name: str) -> bytes:
        """A module's bytes, as insmod takes them."""
        if name not in self._contents:
            path = self._files[name]
            data = path.read_bytes()
            self._contents[name] = lzma.decompress(data) if path.suffix == ".xz" else data
        return self._contents[name]

    def _visit(self, name: str, order: list[str], *, required: bool) -> None:
        if name not in self._files and f"{name}_generic" in self._files:  # crc32c and its kin are aliases
            name = f"{name}_generic"
        if name in order or name in self._built_in:
            return
        if name not in self._files:
            if required:
                raise LookupError(f"this kernel has no module {name}")
            return
        for needed, firmly in self._needs(name):
            self._visit(needed, order, required=firmly)
        order.append(name)

    def _needs(self, name: str) -> Iterator[tuple[str, bool]]:
        """What a module needs, and whether it cannot be loaded without."""
        for key, value in re.findall(rb"(?<=\0)(depends|softdep)=([^\0]*)\0", b"\0" + self.content(name)):
            text = value.decode()
            if key == b"depends":
                yield from ((_name(word), True) for word in text.split(",") if word)
            elif "pre:" in text:
                yield from ((_name(word), False) for word in text.split("pre:")[1].split("post:")[0].split())


def _name(file: str) -> str:
    return file.partition(".")[0].replace("-", "_")
