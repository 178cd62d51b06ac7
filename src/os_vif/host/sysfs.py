# SPDX-License-Identifier: Apache-2.0
"""Look-ups in sysfs; the root is a parameter, so that tests can give a recorded tree."""

from __future__ import annotations

from pathlib import Path


def netdev_of_pci(address: str, root: Path = Path("/sys")) -> str | None:
    """The network device at a PCI address (dddd:bb:ss.f), or None. With several, the first by name."""
    directory = root / "bus" / "pci" / "devices" / address / "net"
    try:
        return min(entry.name for entry in directory.iterdir())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
