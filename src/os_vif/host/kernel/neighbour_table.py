# SPDX-License-Identifier: Apache-2.0
"""The kernel's table of neighbours, and whether one answers: the kernel asks it, by ARP or neighbour discovery.

Layouts and states are from linux/neighbour.h. It takes no packet socket, and so no CAP_NET_RAW.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Iterator

from os_vif.host.kernel.netlink import (
    NLM_F_CREATE,
    NLM_F_DUMP,
    NLM_F_REPLACE,
    KernelError,
    Layout,
    attribute,
    attributes,
    conversation,
    parsing,
    u32,
)

_RTM_NEWNEIGH, _RTM_DELNEIGH, _RTM_GETNEIGH = 28, 29, 30
_NDA_DST, _NDA_IFINDEX = 1, 8
_NTF_USE, _NTF_PROXY = 0x01, 0x08
_NONE, _REACHABLE, _STALE, _DELAY, _PROBE, _FAILED, _PERMANENT = 0x00, 0x02, 0x04, 0x08, 0x10, 0x20, 0x80

_NEIGHBOUR = Layout("=BxxxiHBB")
_PAUSE = 0.02


def is_known(index: int, address: str) -> bool:
    """Whether the neighbour has answered there lately, as far as the kernel remembers."""
    return bool(_state(index, address) & (_REACHABLE | _STALE | _DELAY | _PROBE | _PERMANENT))


def static_on(index: int) -> list[str]:
    """The addresses of neighbours that somebody has entered by hand on a device, and of those that it answers for."""
    with parsing():
        return [*_entered(index, 0), *_entered(index, _NTF_PROXY)]


def _entered(index: int, flags: int) -> Iterator[str]:
    body = _NEIGHBOUR.pack(socket.AF_UNSPEC, 0, 0, flags, 0) + u32(_NDA_IFINDEX, index)
    for answer in conversation().ask(_RTM_GETNEIGH, body, NLM_F_DUMP):
        family, device, state, its_flags, _kind = _NEIGHBOUR.unpack_from(answer)
        packed = dict(attributes(answer, _NEIGHBOUR.size)).get(_NDA_DST)
        entered = its_flags & _NTF_PROXY if flags else state & _PERMANENT
        if device == index and packed and entered and family in (socket.AF_INET, socket.AF_INET6):
            yield socket.inet_ntop(family, packed)


def await_answer(index: int, address: str, seconds: float) -> None:
    """Returns once the neighbour has answered on a device. Raises KernelError: EHOSTUNREACH if it has not in time."""
    end = time.monotonic() + seconds
    if _state(index, address) & _PERMANENT:
        return
    with contextlib.suppress(KernelError):  # what it knows is from before
        conversation().ask(_RTM_DELNEIGH, _body(index, address, _NONE, 0))
    _ask(index, address)
    while not (state := _state(index, address)) & (_REACHABLE | _PERMANENT):
        if time.monotonic() > end:
            raise KernelError(errno.EHOSTUNREACH, f"{address} does not answer")
        if state & _FAILED or not state:
            _ask(index, address)
        time.sleep(_PAUSE)


def _ask(index: int, address: str) -> None:
    conversation().ask(_RTM_NEWNEIGH, _body(index, address, _NONE, _NTF_USE), NLM_F_CREATE | NLM_F_REPLACE)


def _state(index: int, address: str) -> int:
    family, packed = _packed(address)
    body = _NEIGHBOUR.pack(family, 0, 0, 0, 0) + u32(_NDA_IFINDEX, index)
    for answer in conversation().ask(_RTM_GETNEIGH, body, NLM_F_DUMP):
        _family, device, state, _flags, _kind = _NEIGHBOUR.unpack_from(answer)
        if device == index and dict(attributes(answer, _NEIGHBOUR.size)).get(_NDA_DST) == packed:
            return int(state)
    return _NONE


def _body(index: int, address: str, state: int, flags: int) -> bytes:
    family, packed = _packed(address)
    return _NEIGHBOUR.pack(family, index, state, flags, 0) + attribute(_NDA_DST, packed)


def _packed(address: str) -> tuple[int, bytes]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.inet_pton(family, address)
