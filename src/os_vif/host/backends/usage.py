# SPDX-License-Identifier: Apache-2.0
"""Which devices of ours are in use, whatever any journal says: no record is not proof that nobody needs them.

What the kernel tells: a tap has a carrier for as long as a process holds it open (drivers/net/tun.c), a bridge has
ports, a veth leads into another network namespace, somebody has put a device of his own on top.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from os_vif.host.journal import marks
from os_vif.host.kernel.rtnetlink import LinkInfo

HELD_OPEN = "a process holds it open"


class Usage:
    """``links``: all devices of the namespace. ``is_held_open`` tells of a macvtap, ``has_addresses`` of a bridge."""

    def __init__(
        self,
        links: Sequence[LinkInfo],
        is_held_open: Callable[[LinkInfo], bool],
        has_addresses: Callable[[LinkInfo], bool],
    ) -> None:
        self._links: Mapping[int, LinkInfo] = {link.index: link for link in links}
        self._is_held_open = is_held_open
        self._has_addresses = has_addresses
        self._ports, self._above = _by(links, lambda link: link.master), _by(links, _index_below)

    def of(self, info: LinkInfo) -> str:
        """Why a device is in use; "" where nobody seems to need it."""
        return next(self._reasons(info), "")

    def _reasons(self, info: LinkInfo) -> Iterator[str]:
        if self._is_open(info):
            yield HELD_OPEN
        if info.kind == "veth" and not self._is_pair_here(info):
            yield "its other end is in another network namespace"
        if info.kind == "bridge" and self._has_addresses(info):
            yield "it has addresses"
        for what, others in (("is a port of it", self._ports), ("is on top of it", self._above)):
            yield from (f"{other.name} {what}" for other in others[info.index] if self._is_needed(other))

    def _is_open(self, info: LinkInfo) -> bool:
        return (info.kind == "tun" and info.carrier) or (info.kind == "macvtap" and self._is_held_open(info))

    def _is_pair_here(self, info: LinkInfo) -> bool:
        other = self._links.get(info.parent)
        return not info.parent_elsewhere and other is not None and other.parent == info.index

    def _is_needed(self, other: LinkInfo) -> bool:
        return not marks.is_marked(other) or self._is_open(other)


def _by(links: Sequence[LinkInfo], index_of: Callable[[LinkInfo], int]) -> Mapping[int, list[LinkInfo]]:
    found: dict[int, list[LinkInfo]] = defaultdict(list)
    for link in links:
        if index_of(link):
            found[index_of(link)].append(link)
    return found


def _index_below(link: LinkInfo) -> int:
    return 0 if link.kind == "veth" or link.parent_elsewhere else link.parent
