# SPDX-License-Identifier: Apache-2.0
"""Signs that the host's filters drop what a guest sends or gets, before the rules of os-vif let it pass."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence

from os_vif.host.access.host import HostAccess
from os_vif.host.contract.degradation import Code, Degradation
from os_vif.host.diagnosis import bridges
from os_vif.host.kernel import addresses as kernel_addresses
from os_vif.host.kernel.filter_path import Drop, Packet, find_drop
from os_vif.host.kernel.nftables import NativeFilter
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import ForwardingRules, Resource

_TOOLS = {"ipv4": "iptables", "ipv6": "ip6tables", "bridge": "ebtables"}
_VERSIONS = {"ipv4": 4, "ipv6": 6}
_FAMILIES = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


def look(
    host: HostAccess, resources: Sequence[Resource], addresses: Sequence[str], context: str
) -> Iterator[Degradation]:
    """Of each guest's port in a bridge. ``addresses`` are the guest's, if known: of the families that these are of.

    A filter that is for both families is told of once.
    """
    yield from dict.fromkeys(_look(host, resources, addresses, context))


def _look(
    host: HostAccess, resources: Sequence[Resource], addresses: Sequence[str], context: str
) -> Iterator[Degradation]:
    rules = {(r.family, r.bridge) for r in resources if isinstance(r, ForwardingRules)}
    for bridge, port, resource in bridges.ports(host, resources):
        if resource.shared:
            continue
        for family in _VERSIONS:
            own = [one for one in addresses if ipaddress.ip_address(one).version == _VERSIONS[family]]
            is_ruled = (family, bridge.name) in rules
            if own or (not addresses and (is_ruled or family == "ipv4")):
                packets = list(_packets(host, bridge, port, family, own, is_ruled=is_ruled))
                yield from _of_table(host, family, packets, bridge, context, is_ruled=is_ruled)
                yield from _of_native(host, family, packets, bridge, context)
        frames = [Packet(entering=port.name), Packet(leaving=port.name)]
        yield from _of_table(host, "bridge", frames, bridge, context, is_ruled=False)
        yield from _of_native(host, "bridge", frames, bridge, context)


def _packets(
    host: HostAccess, bridge: LinkInfo, port: LinkInfo, family: str, own: Sequence[str], *, is_ruled: bool
) -> Iterator[Packet]:
    """What of the guest's the table gets to see: what is bridged where the bridge asks it, and what the host routes."""
    address = own[0] if own else ""
    if host.filters_bridged(bridge.index, family):
        between = {"entering": bridge.name, "leaving": bridge.name}
        yield Packet(**between, port_in=port.name, source=address, bridged=True)
        yield Packet(**between, port_out=port.name, destination=address, bridged=True)
    if is_ruled and _routes(host, bridge, family):
        yield Packet(entering=bridge.name, source=address)
        yield Packet(leaving=bridge.name, destination=address)


def _routes(host: HostAccess, bridge: LinkInfo, family: str) -> bool:
    if host.read_sysctl(bridge.name, family, "forwarding") in ("0", None):
        return False
    found = [one for one in host.addresses_of(bridge.index) if not kernel_addresses.is_link_local(one)]
    return any(kernel_addresses.family_of(one) == _FAMILIES[family] for one in found)


def _of_table(
    host: HostAccess, family: str, packets: Sequence[Packet], bridge: LinkInfo, context: str, *, is_ruled: bool
) -> Iterator[Degradation]:
    table = host.read_filter_table(family, context) if packets else None
    if table is None:
        return
    found = (find_drop(table, packet, f"os-vif-{bridge.name}") for packet in packets)
    for drop in dict.fromkeys(filter(None, found)):
        if drop.rule:
            yield _rule(family, drop, bridge)
        elif not is_ruled:  # else our own rules are missing, and that is told elsewhere
            yield _policy(family, bridge)


def _of_native(
    host: HostAccess, family: str, packets: Sequence[Packet], bridge: LinkInfo, context: str
) -> Iterator[Degradation]:
    """All chains at the hook have their say: what one lets pass, another may drop."""
    for one in host.read_native_filters(family, context) if packets else ():
        found = (find_drop(one.table, packet, "", one.chain) for packet in packets)
        for drop in dict.fromkeys(filter(None, found)):
            yield _native_rule(one, drop, bridge) if drop.rule else _native_policy(one, bridge)


def _native_rule(one: NativeFilter, drop: Drop, bridge: LinkInfo) -> Degradation:
    place, handle = f"{one.place} {drop.chain}", one.handles[drop.chain][drop.number - 1]
    text = f"Rule {handle} of chain {place} (nft) drops what is for guests of bridge {bridge.name}."
    hint = f"`nft -a list chain {place}` shows it; whoever made it has to delete or narrow it:"
    return Degradation(Code.FORWARD_DROP, place, text, f"{hint} `nft delete rule {place} handle {handle}`.")


def _native_policy(one: NativeFilter, bridge: LinkInfo) -> Degradation:
    place = f"{one.place} {one.chain}"
    text = (
        f"The policy of chain {place} (nft) is drop, and nothing lets pass what is for guests of bridge {bridge.name}."
    )
    hint = f"Have a rule let it pass: `nft insert rule {place} iifname {bridge.name} oifname {bridge.name} accept`."
    return Degradation(Code.FORWARD_POLICY, place, text, hint)


def _rule(family: str, drop: Drop, bridge: LinkInfo) -> Degradation:
    tool = _TOOLS[family]
    where = f"chain {drop.chain}, which FORWARD leads to," if drop.chain != "FORWARD" else "FORWARD"
    text = f"Rule {drop.number} of {where} ({tool}) drops what is for guests of bridge {bridge.name}: {drop.rule}"
    hint = f"Whoever made it has to delete or narrow it: `{tool} -D {drop.chain} {drop.number}`."
    return Degradation(Code.FORWARD_DROP, f"{family} {drop.chain}", text, hint)


def _policy(family: str, bridge: LinkInfo) -> Degradation:
    tool = _TOOLS[family]
    text = f"The policy of FORWARD ({tool}) is DROP, and nothing lets pass what is for guests of bridge {bridge.name}."
    hint = f"Have a rule let it pass (`{tool} -I FORWARD -i {bridge.name} -o {bridge.name} -j ACCEPT`)"
    more = ", or take the bridges out of the filter (`sysctl net.bridge.bridge-nf-call-iptables=0`)"
    return Degradation(Code.FORWARD_POLICY, f"{family} FORWARD", text, f"{hint}{more if family != 'bridge' else ''}.")
