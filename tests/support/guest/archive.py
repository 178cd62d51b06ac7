# SPDX-License-Identifier: Apache-2.0
"""The initial root file system, a cpio archive in the format "newc" (kernel: Documentation/driver-api/early-userspace).

Names are sorted, times are 0 and owners are root, so that the same files give the same bytes.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import PurePosixPath


@dataclass
class Archive:
    """Files by their paths, without a leading slash."""

    _files: dict[str, tuple[int, bytes, tuple[int, int]]] = field(default_factory=dict)

    def add(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Adds a file, and the directories it is in."""
        self.add_directory(str(PurePosixPath(path).parent))
        self._files[path] = (stat.S_IFREG | mode, content, (0, 0))

    def add_directory(self, path: str) -> None:
        """Adds a directory, and those it is in."""
        for one in [PurePosixPath(path), *PurePosixPath(path).parents]:
            if str(one) != ".":
                self._files.setdefault(str(one), (stat.S_IFDIR | 0o755, b"", (0, 0)))

    def add_console(self) -> None:
        """Adds /dev/console, which the kernel opens before anything can be mounted there."""
        self.add_directory("dev")
        self._files["dev/console"] = (stat.S_IFCHR | 0o600, b"", (5, 1))

    def to_bytes(self) -> bytes:
        """The archive."""
        entries = [_entry(number, path, *file) for number, (path, file) in enumerate(sorted(self._files.items()), 1)]
        whole = b"".join([*entries, _entry(0, "TRAILER!!!", 0, b"", (0, 0))])
        return whole + b"\0" * (-len(whole) % 512)


def _entry(number: int, path: str, mode: int, content: bytes, device: tuple[int, int]) -> bytes:
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    numbers = (number, mode, 0, 0, links, 0, len(content), 0, 0, *device, len(name), 0)
    entry = b"070701" + b"".join(b"%08X" % value for value in numbers) + name
    entry += b"\0" * (-len(entry) % 4) + content
    return entry + b"\0" * (-len(entry) % 4)
