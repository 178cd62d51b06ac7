# SPDX-License-Identifier: Apache-2.0
"""Per-device sysctls, below /proc/sys/net of this thread's network namespace.

Meaning of the keys: the kernel's Documentation/networking/ip-sysctl.rst.
"""

from __future__ import annotations

import os
from pathlib import Path

_WRITABLE = {
    "ipv4": {"arp_announce", "arp_ignore", "forwarding", "proxy_arp", "rp_filter"},
    "ipv6": {"accept_ra", "autoconf", "disable_ipv6", "forwarding", "proxy_ndp"},
}


def read(device: str, family: str, key: str) -> str | None:
    """The value, or None where the kernel has no such key (IPv6 may be switched off as a whole)."""
    try:
        file = os.open(_path(device, family, key), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return os.read(file, 64).decode().strip()
    finally:
        os.close(file)


def write(device: str, family: str, key: str, value: str) -> None:
    """Sets a value. A key that the kernel does not have is passed over. Raises OSError, ValueError."""
    check_writable(family, key)
    path = _path(device, family, key)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        if Path(path).parent.exists():
            raise
        return
    try:
        os.write(file, value.encode())
    finally:
        os.close(file)


def check_writable(family: str, key: str) -> None:
    """Raises ValueError for what is not on the list."""
    if key not in _WRITABLE.get(family, ()):
        raise ValueError(f"sysctl {family}/{key} is not one that os-vif sets")


def _path(device: str, family: str, key: str) -> str:
    return f"/proc/sys/net/{family}/conf/{device}/{key}"
