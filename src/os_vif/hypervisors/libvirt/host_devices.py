# SPDX-License-Identifier: Apache-2.0
"""What libvirt must be told of PCI devices and no VIF says: the names that the kernel has given them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HostDevices:
    """The PCI devices of the host; ``root`` is for tests that bring a tree of their own.

    Meaning of the files: the kernel's Documentation/ABI/testing/sysfs-bus-pci and sysfs-bus-vdpa.
    """

    root: Path = Path("/sys")

    def netdev(self, address: str) -> str | None:
        """The network device at a PCI address (dddd:bb:ss.f), or None. With several, the first by name."""
        return min(self._below(address, "net/*"), default=None)

    def vhost_vdpa(self, address: str) -> str | None:
        """The character device of the vDPA device at a PCI address, or None where it has not been made one."""
        name = min(self._below(address, "vdpa*/vhost-vdpa-*"), default=None)
        return name and f"/dev/{name}"

    def has_iommu(self) -> bool:
        """Whether devices can be handed to guests at all."""
        groups = self.root / "kernel" / "iommu_groups"
        return groups.is_dir() and any(groups.iterdir())

    def _below(self, address: str, pattern: str) -> list[str]:
        return [path.name for path in (self.root / "bus" / "pci" / "devices" / address).glob(pattern)]
