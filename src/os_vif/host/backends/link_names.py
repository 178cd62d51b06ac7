# SPDX-License-Identifier: Apache-2.0
"""Devices that somebody renamed: found by their index, by our mark or by their guest's address, and named back.

Else another one would be made under the old name, and the network be split in two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from os_vif import exception
from os_vif.host.access.host import HostAccess
from os_vif.host.contract.backend import Purpose
from os_vif.host.contract.operations import Operation
from os_vif.host.contract.plan import Holding, Step
from os_vif.host.journal import marks
from os_vif.host.kernel import addresses
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import ExistingLink, Link

#: In what is recorded of a device: its index, which stays when it is renamed.
INDEX = "index"

#: Devices that come from other namespaces, where containers are, and bring the indexes that they had there.
_MOVING = ("veth", "tun")


def steps(host: HostAccess, holdings: Sequence[Holding], purpose: Purpose) -> Iterator[Step]:
    """What it takes for each to have its name again. Raises ForeignDevice where that was given to another device."""
    names: dict[int, str] = {}
    for holding in holdings:
        link = holding.resource
        found = _renamed(host, holding, purpose, names) if isinstance(link, Link) else None
        if found is not None and isinstance(link, Link) and found.index not in names:
            if host.index_of(link.name):
                reason = f"{link.label} was renamed to {found.name}, and another device has its name now."
                raise exception.ForeignDevice(device=link.name, vif_id=purpose.vif_id, reason=reason)
            names[found.index] = link.name
            yield _step(host, link, found)


def _renamed(host: HostAccess, holding: Holding, purpose: Purpose, names: dict[int, str]) -> LinkInfo | None:
    link, index = holding.resource, holding.prior.get(INDEX, 0)
    assert isinstance(link, Link)
    here = host.index_of(link.name)
    if here and here == index:
        return None
    known = host.get_link_by_index(index) if index else None
    if known is not None and known.name != link.name and _is_it(host, known, holding, names):
        return known
    if here:
        return None
    if holding.made and not link.shared and not isinstance(link, ExistingLink):
        return _by_mark(host, link, purpose)
    return _by_guest(host, link) if isinstance(link, ExistingLink) and link.guest_mac else None


def _is_it(host: HostAccess, known: LinkInfo, holding: Holding, names: dict[int, str]) -> bool:
    """Whether the device of the index is the one recorded: one that came from another namespace may have it too."""
    link = holding.resource
    assert isinstance(link, Link)
    if not isinstance(link, ExistingLink):
        return known.kind == link.kind and (marks.is_marked(known) or not holding.made)
    if not link.master:
        return known.kind not in _MOVING and not host.index_of(link.name)
    bridge = host.get_link_by_index(known.master) if known.master else None
    return bridge is not None and link.master in (bridge.name, names.get(bridge.index))


def _by_mark(host: HostAccess, link: Link, purpose: Purpose) -> LinkInfo | None:
    found = [one for one in host.all_links() if one.kind == link.kind and marks.is_marked(one)]
    return _only([one for one in found if marks.owner_of(one) == purpose.vif_id])


def _by_guest(host: HostAccess, link: ExistingLink) -> LinkInfo | None:
    """A tap: libvirt gives it the guest's address with another first byte; a bridge learns where the guest sends from.

    Of other devices it cannot be told: the guest may be on another machine, and an uplink the way there.
    """
    taps = [one for one in host.all_links() if one.kind == "tun"]
    named = [one for one in taps if one.mac.partition(":")[2] == link.guest_mac.lower().partition(":")[2]]
    bridge = host.index_of(link.master) if link.master else 0
    port = host.port_of_mac(bridge, link.guest_mac) if bridge else 0
    return _only(named) or _only([one for one in taps if one.index == port])


def _only(found: Sequence[LinkInfo]) -> LinkInfo | None:
    return found[0] if len(found) == 1 else None


def _step(host: HostAccess, link: Link, found: LinkInfo) -> Step:
    has_addresses = any(not addresses.is_link_local(address) for address in host.addresses_of(found.index))
    of_the_host = has_addresses or (isinstance(link, ExistingLink) and link.shared)
    text = f"rename {found.name} back to {link.name}"
    return Step("link", link.name, text, *_there_and_back(found, link.name, interrupt=not of_the_host))


def _there_and_back(found: LinkInfo, name: str, *, interrupt: bool) -> tuple[Operation, Operation]:
    common = {"index": found.index, "interrupt": interrupt}
    there = Operation("link.rename", {"name": found.name, "to": name, **common})
    return there, Operation("link.rename", {"name": name, "to": found.name, **common})
