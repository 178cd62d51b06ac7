# SPDX-License-Identifier: Apache-2.0
"""Tap devices, which the kernel makes by ioctl on /dev/net/tun and not by netlink.

Source: the kernel's Documentation/networking/tuntap.rst and linux/if_tun.h.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct

from os_vif.host.kernel import rtnetlink
from os_vif.host.kernel.netlink import KernelError

_TUNSETIFF = 0x400454CA
_TUNSETPERSIST = 0x400454CB
_TUNSETOWNER = 0x400454CC
_TUNSETGROUP = 0x400454CE

_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000
_IFF_MULTI_QUEUE = 0x0100
_IFF_TUN_EXCL = 0x8000

_CLONE_DEVICE = "/dev/net/tun"


def create(
    name: str,
    *,
    device_group: int,
    mac: str | None = None,
    mtu: int | None = None,
    multi_queue: bool = False,
    owner: int | None = None,
    group: int | None = None,
) -> None:
    """Creates a persistent tap, down; its MAC address is random unless given.

    Raises OSError; EEXIST when the name is taken.

    It is made persistent last: a process killed in here takes the device with it.
    """
    flags = _IFF_TAP | _IFF_NO_PI | _IFF_TUN_EXCL | (_IFF_MULTI_QUEUE if multi_queue else 0)
    tun = os.open(_CLONE_DEVICE, os.O_RDWR | os.O_CLOEXEC)
    try:
        _set_interface(tun, name, flags)
        rtnetlink.set_link(name, mac=mac or rtnetlink.random_mac(), mtu=mtu, group=device_group)
        if owner is not None:
            fcntl.ioctl(tun, _TUNSETOWNER, owner)
        if group is not None:
            fcntl.ioctl(tun, _TUNSETGROUP, group)
        fcntl.ioctl(tun, _TUNSETPERSIST, 1)
    finally:
        os.close(tun)


def _set_interface(tun: int, name: str, flags: int) -> None:
    try:
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise KernelError(errno.EEXIST, f"a tap named {name} exists already") from error
        raise
