# SPDX-License-Identifier: Apache-2.0
"""Whether an interface of the host may become a port of a bridge of ours, which then has its addresses.

Asked before anything is touched: who loses the interface that he is logged in by cannot repair it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence

from os_vif import exception
from os_vif.host.access.host import HostAccess
from os_vif.host.contract.plan import Holding
from os_vif.host.kernel import addresses as ip
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import AddressesMoved

#: Devices that take the frames of the device below before a bridge could.
_ABOVE = ("macvlan", "macvtap", "ipvlan", "ipvtap")

#: Who keeps routes, and addresses, by what rtnetlink.h and iproute2's rt_protos call them.
_KEEPERS = {
    8: "gated",
    9: "a client of router advertisements",
    11: "a routing daemon (zebra)",
    12: "BIRD",
    16: "a DHCP client",
    17: "mrouted",
    18: "keepalived",
    42: "babeld",
    186: "a BGP daemon",
    187: "an IS-IS daemon",
    188: "an OSPF daemon",
    189: "a RIP daemon",
    192: "an EIGRP daemon",
}
_FROM_ADVERTISEMENT = 2  # IFAPROT_KERNEL_RA
_STABLE_MODES = ("2", "3")
_MAC_LENGTH = 17


def check(
    host: HostAccess,
    source: LinkInfo,
    bridge: LinkInfo | None,
    target: str,
    items: Sequence[ip.Item],
    vif_id: str = "",
) -> None:
    """Raises UplinkUnsuitable. ``items`` are the addresses and routes that would move to the bridge, called ``target``.

    ``bridge`` is None where it is still to be made.
    """
    if bridge is None or source.master != bridge.index:
        _refuse(_unfit(host, source), source, target, vif_id)
        _refuse(_named(host, source), source, target, vif_id)
    _refuse(_kept_by_others(host, source, items), source, target, vif_id)


def check_now(host: HostAccess, device: str, bridge: str) -> None:
    """Raises UplinkUnsuitable if a device, as it is now, could not lead out of a bridge; one may come later."""
    source = host.get_link(device)
    if source is not None:
        items = [*host.addresses_of(source.index), *host.routes_via(source.index)]
        check(host, source, host.get_link(bridge), bridge, items)


def check_configured(host: HostAccess, held_before: Sequence[Holding], vif_id: str) -> None:
    """Raises UplinkNotReady if an interface had addresses before the reboot, and has none yet.

    Who configures the host's network would give them to a port of a bridge, and the host could not be reached.
    """
    for holding in held_before:
        resource = holding.resource
        if not isinstance(resource, AddressesMoved) or not holding.prior.get("addresses"):
            continue
        links = [link for name in (resource.source, resource.target) if (link := host.get_link(name))]
        now = [address for link in links for address in host.addresses_of(link.index) if not ip.is_link_local(address)]
        if links and not now:
            had = ", ".join(str(address["shown"]) for address in holding.prior["addresses"])
            raise exception.UplinkNotReady(device=resource.source, addresses=had, vif_id=vif_id)


def _refuse(reasons: Iterator[str], source: LinkInfo, target: str, vif_id: str) -> None:
    for reason in reasons:
        raise exception.UplinkUnsuitable(device=source.name, bridge=target, reason=reason, vif_id=vif_id)


def _unfit(host: HostAccess, source: LinkInfo) -> Iterator[str]:
    """For what the device is, or serves already."""
    if source.kind == "bridge":
        yield f"{source.name} is a bridge itself. Use it as such: `--bridge {source.name}`, without an uplink."
    if len(source.mac) != _MAC_LENGTH or not source.mac.strip("0:"):
        yield f"{source.name} is no Ethernet device."
    if source.master:
        master = host.get_link_by_index(source.master)
        yield f"{source.name} is a port of {master.name if master else 'another device'} already."
    above = [link.name for link in host.all_links() if link.parent == source.index and link.kind in _ABOVE]
    if above:
        yield f"{', '.join(above)} is on top of {source.name}, and takes its frames before a bridge can."


def _named(host: HostAccess, source: LinkInfo) -> Iterator[str]:
    """For what others have said of the device, and would have to say of the bridge."""
    rules = host.rules_naming(source.name)
    if rules:
        yield f"rules of routing name it (`ip rule`: {', '.join(rules)}), and would not hold for the bridge."
    neighbours = host.static_neighbours(source.index)
    if neighbours:
        yield f"neighbours were entered there by hand (`ip neighbour`: {', '.join(neighbours)})."


def _kept_by_others(host: HostAccess, source: LinkInfo, items: Sequence[ip.Item]) -> Iterator[str]:
    """What a program goes on to keep where it is now, and what ends if that is not done."""
    listens = _takes_advertisements(host, source.name)
    for item in items:
        is_route = "gateway" in item
        origin = item["header"][5] if is_route else ip.origin_of(item)
        what = f"{'route' if is_route else 'address'} {item['shown']} of {source.name}"
        if is_route and ip.is_by_nexthop_object(item):
            yield f"the {what} goes by a next hop that is an object of its own (`ip nexthop`)."
        elif is_route and origin in _KEEPERS and not (origin == ip.PROTOCOL_RA and listens):
            yield f"the {what} is kept by {_KEEPERS[origin]}, which knows nothing of the bridge."
        elif not is_route:
            yield from _address_kept_by_others(host, source, item, what, listens=listens)


def _address_kept_by_others(
    host: HostAccess, source: LinkInfo, item: ip.Item, what: str, *, listens: bool
) -> Iterator[str]:
    left, origin = ip.seconds_left(item), ip.origin_of(item)
    if left is None:
        if origin in _KEEPERS:
            yield f"the {what} is kept by {_KEEPERS[origin]}, which knows nothing of the bridge."
        return
    by_kernel = ip.family_of(item) == socket.AF_INET6 and listens and origin in (0, _FROM_ADVERTISEMENT)
    if not by_kernel:
        yield (
            f"the {what} is valid for {left} seconds only: a program (a DHCP client) keeps it there,"
            " and would not on the bridge."
        )
    elif not ip.flags_of(item) & ip.TEMPORARY and host.read_sysctl(source.name, "ipv6", "addr_gen_mode") in (
        _STABLE_MODES
    ):
        yield f"the {what} is made from a secret of that device (addr_gen_mode); the bridge would get another one."


def _takes_advertisements(host: HostAccess, device: str) -> bool:
    """Whether the kernel itself makes IPv6 addresses and routes from router advertisements there."""
    accepts = host.read_sysctl(device, "ipv6", "accept_ra")
    return accepts == "2" or (accepts == "1" and host.read_sysctl(device, "ipv6", "forwarding") == "0")
