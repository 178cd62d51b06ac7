# SPDX-License-Identifier: Apache-2.0
"""What somebody wants a network to be like; checked before anything is written. Pure."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import NoReturn

from os_vif import exception
from os_vif.networks.local.model import LINUX_BRIDGE, OVS, SWITCHES, IPAddress, Network, Subnet
from os_vif.objects import validate
from os_vif.plugins import names

DEFAULT_MTU = 1500

#: Prefix of the Open vSwitch bridge that a network has for itself, as in br-int.
_OVS_BRIDGE_PREFIX = "br-"
_SMALLEST_MTU_OF_IPV6 = 1280
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


@dataclass(frozen=True)
class WantedNetwork:
    """As given by people, hence text. ``cidrs``: subnets. ``gateways``: one for any subnet that has one.

    ``pools``: FIRST-LAST, the addresses that ports are given, one for any subnet; else all that are not special.
    ``bridge``: its name; one is made up if none is given. ``force``: make it although others have its addresses, or
    another DHCP server may be on its uplink.
    """

    name: str
    cidrs: Sequence[str] = ()
    gateways: Sequence[str] = ()
    pools: Sequence[str] = ()
    switch: str = LINUX_BRIDGE
    bridge: str = ""
    mtu: int = DEFAULT_MTU
    uplink: str | None = None
    vlan: int | None = None
    dhcp: bool = False
    force: bool = False


def checked(wanted: WantedNetwork, in_use: Collection[str] = ()) -> Network:
    """The network, with an id of its own. Raises InvalidRequest, whose ``field`` is one of WantedNetwork.

    ``in_use``: addresses that the DHCP server cannot have.
    """
    _check_name(wanted.name)
    _check_switch(wanted)
    _check_uplink(wanted)
    network_id = str(uuid.uuid4())
    bridge = wanted.bridge or _bridge_name(network_id, wanted.switch)
    _check(validate.interface_name, "bridge", bridge)
    return Network(
        id=network_id,
        name=wanted.name,
        switch=wanted.switch,
        bridge=bridge,
        mtu=wanted.mtu,
        uplink=wanted.uplink,
        vlan=wanted.vlan,
        dhcp=wanted.dhcp,
        subnets=tuple(_subnets(wanted, in_use)),
    )


def refuse(field: str, reason: str, hint: str = "") -> NoReturn:
    """Raises InvalidRequest."""
    error = exception.InvalidRequest(field=field, reason=reason)
    error.hint = hint
    raise error


def _bridge_name(network_id: str, switch: str) -> str:
    if switch == OVS:
        return (_OVS_BRIDGE_PREFIX + network_id)[: names.DEVICE_NAME_LENGTH]
    return names.network_bridge(network_id)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        refuse("name", f"{name!r:.80} cannot be a network's name.", "Use up to 63 letters, digits, '-', '_' and '.'.")


def _check_switch(wanted: WantedNetwork) -> None:
    if wanted.switch not in SWITCHES:
        refuse("switch", f"{wanted.switch!r:.40} is not one of {', '.join(SWITCHES)}.")
    _check(validate.mtu, "mtu", wanted.mtu)


def _check_uplink(wanted: WantedNetwork) -> None:
    if wanted.vlan is not None:
        _check(validate.vlan, "vlan", wanted.vlan)
        if wanted.uplink is None:
            refuse("vlan", "a VLAN is on an uplink, and none is given.", "Say which interface leads out: --uplink.")
    if wanted.uplink is None:
        return
    _check(validate.interface_name, "uplink", wanted.uplink)
    if wanted.switch == OVS:
        hint = "Leave it out, and add it to the bridge yourself: ovs-vsctl add-port BRIDGE INTERFACE [tag=VLAN]."
        refuse("uplink", "the Open vSwitch plugin joins no interface to a bridge, and sets no VLAN.", hint)
    if wanted.uplink == wanted.bridge:
        refuse("uplink", f"{wanted.uplink} cannot be a port of itself.")


def _subnets(wanted: WantedNetwork, in_use: Collection[str]) -> Iterator[Subnet]:
    cidrs = [_cidr(text) for text in wanted.cidrs]
    for number, cidr in enumerate(cidrs):
        for other in cidrs[:number]:
            if cidr.version == other.version and cidr.overlaps(other):
                refuse("cidrs", f"{cidr} and {other} overlap.")
    if wanted.mtu < _SMALLEST_MTU_OF_IPV6 and any(cidr.version == 6 for cidr in cidrs):
        refuse("mtu", f"IPv6 needs at least {_SMALLEST_MTU_OF_IPV6} bytes, {wanted.mtu} are given.")
    if wanted.dhcp and not any(cidr.version == 4 for cidr in cidrs):
        refuse("dhcp", "there is no IPv4 subnet to serve.", "Give one with --cidr, such as 192.168.77.0/24.")
    gateways = _by_cidr("gateways", [_address("gateways", text) for text in wanted.gateways], cidrs)
    pools = {cidr: pool for pool in map(_pool, wanted.pools) for cidr in [_home("pools", pool, cidrs)]}
    if len(pools) != len(wanted.pools):
        refuse("pools", "a subnet has one pool, and two are given for one.")
    if wanted.dhcp and wanted.uplink:
        _check_dhcp_on_uplink(wanted, [cidr for cidr in cidrs if cidr.version == 4 and cidr not in pools])
    yield from (_subnet(cidr, gateways.get(cidr), pools.get(cidr), in_use, dhcp=wanted.dhcp) for cidr in cidrs)


def _check_dhcp_on_uplink(wanted: WantedNetwork, without_pool: Sequence[_Cidr]) -> None:
    """Others are on that network: who gives them addresses, and which are free, nobody here knows."""
    if not wanted.force:
        hint = (
            "Leave --dhcp out: guests get their addresses from the network's own server, or are told them (`vif network"
            " ports`). If there is no other DHCP server on it, say --force, and with --pool which addresses are yours."
        )
        refuse("dhcp", f"{wanted.uplink} leads to a network that may have a DHCP server of its own.", hint)
    for cidr in without_pool:
        hint = f"Such as --pool {cidr[-1] - 100}-{cidr[-1] - 1}." if cidr.num_addresses > 200 else ""
        refuse("pools", f"{cidr} is also that of others on {wanted.uplink}: say which addresses of it are free.", hint)


_Cidr = IPv4Network | IPv6Network
_Pool = tuple[IPAddress, IPAddress]


def _subnet(
    cidr: _Cidr, gateway: IPAddress | None, pool: _Pool | None, in_use: Collection[str], *, dhcp: bool
) -> Subnet:
    first, last = pool or usable(cidr)
    taken = {*in_use, str(gateway)}
    server = _server_address(cidr, first, last, taken) if dhcp and cidr.version == 4 else None
    return Subnet(
        cidr=str(cidr),
        first=str(first),
        last=str(last),
        gateway=str(gateway) if gateway else None,
        dhcp_server=str(server) if server else None,
    )


def _server_address(cidr: _Cidr, first: IPAddress, last: IPAddress, taken: Collection[str]) -> IPAddress:
    """The first of the pool that nobody has; one more has to be left for a port."""
    free = (address for address in _range(first, last) if str(address) not in taken)
    server, another = next(free, None), next(free, None)
    if server is None or another is None:
        refuse("dhcp", f"{cidr} has no address for both the DHCP server and a port.", "Use a larger subnet or pool.")
    return server


def _range(first: IPAddress, last: IPAddress) -> Iterator[IPAddress]:
    return (first + number for number in range(int(last) - int(first) + 1))


def usable(cidr: _Cidr) -> _Pool:
    """The first and last address that a port may have: neither the network's own nor the broadcast address."""
    first, last = cidr[0], cidr[-1]
    if cidr.num_addresses <= 2:
        return first, last
    return first + 1, (last - 1 if cidr.version == 4 else last)


def _cidr(text: str) -> _Cidr:
    try:
        found = ipaddress.ip_network(text)
    except ValueError as error:
        hint = "Write the network's address and the length of its prefix, such as 192.168.77.0/24 or fd00:77::/64."
        refuse("cidrs", f"{error}.", hint)
    if found.num_addresses < 2 or "/" not in text:
        refuse("cidrs", f"{text} is a single address, not a subnet.", "Give the length of its prefix, such as /24.")
    if found.is_multicast or found.is_loopback or found.is_unspecified:
        refuse("cidrs", f"{text} holds no addresses that a guest can have.")
    return found


def _address(field: str, text: str) -> IPAddress:
    try:
        return ipaddress.ip_address(text)
    except ValueError as error:
        refuse(field, f"{error}.")


def _pool(text: str) -> _Pool:
    ends = [_address("pools", part.strip()) for part in text.split("-")]
    if len(ends) != 2 or ends[0].version != ends[1].version:
        refuse("pools", f"{text!r:.90} is not FIRST-LAST.", "Such as 192.168.77.100-192.168.77.199.")
    if int(ends[0]) > int(ends[1]):
        refuse("pools", f"{text} ends before it begins.")
    return ends[0], ends[1]


def _by_cidr(field: str, addresses: Sequence[IPAddress], cidrs: Sequence[_Cidr]) -> dict[_Cidr, IPAddress]:
    found = {_home(field, (address, address), cidrs): address for address in addresses}
    if len(found) != len(addresses):
        refuse(field, "a subnet has one gateway, and two are given for one.")
    return found


def _home(field: str, pool: _Pool, cidrs: Sequence[_Cidr]) -> _Cidr:
    """The subnet that an address, or a range of them, is in."""
    shown = "-".join(str(end) for end in dict.fromkeys(pool))
    for cidr in cidrs:
        if pool[0] in cidr and pool[1] in cidr:
            first, last = usable(cidr)
            if int(pool[0]) < int(first) or int(pool[1]) > int(last):
                refuse(field, f"{shown} holds an address of {cidr} that no device can have.")
            return cidr
    known = ", ".join(map(str, cidrs)) or "none"
    refuse(field, f"{shown} is in no subnet of the network; there are: {known}.")


def _check(check: Callable[..., tuple[str, str] | None], field: str, value: object) -> None:
    found = check(value)
    if found:
        refuse(field, f"{found[0]}.", found[1])
