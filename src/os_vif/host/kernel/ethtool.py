# SPDX-License-Identifier: Apache-2.0
"""The one setting of a network device that only ethtool's ioctl knows. Source: linux/ethtool.h, linux/sockios.h."""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct

_SIOCETHTOOL = 0x8946
_ETHTOOL_STXCSUM = 0x17


def leave_checksums_to_the_sender(name: str) -> None:
    """Has packets leave a device, of this thread's namespace, with their checksums filled in. Raises OSError."""
    value = ctypes.create_string_buffer(struct.pack("=II", _ETHTOOL_STXCSUM, 0), 8)
    request = struct.pack("16sP", name.encode(), ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCETHTOOL, request)
