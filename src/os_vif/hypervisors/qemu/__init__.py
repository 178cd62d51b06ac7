# SPDX-License-Identifier: Apache-2.0
"""QEMU without libvirt: arguments for its command line, and hot plug through its monitor (QMP)."""

from __future__ import annotations

from os_vif.hypervisors.qemu.driver import QemuDriver

__all__ = ["QemuDriver"]
