# SPDX-License-Identifier: Apache-2.0
"""IPv4 addresses and routes of a fake host, in the form of os_vif.host.kernel.addresses, with the kernel's rules."""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

from os_vif.host.kernel.addresses import family_of, gateways_of, place_of
from os_vif.host.kernel.netlink import KernelError
from os_vif.testing.fake.link import FakeLink
from os_vif.testing.fake.namespace import FakeNamespace

_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_GATEWAY, _RTA_TABLE = 1, 5, 15
_MAIN_TABLE, _STATIC, _UNICAST = 254, 4, 1
_SCOPE_UNIVERSE, _SCOPE_LINK, _ONLINK = 0, 253, 4
_PERMANENT = 0x80


def address(text: str) -> dict[str, Any]:
    """An address such as "192.0.2.1/24" or "2001:db8::1/64", as os_vif.host.kernel.addresses describes it."""
    interface = ipaddress.ip_interface(text)
    packed = interface.ip.packed.hex()
    return {
        "shown": str(interface),
        "header": [_family(interface), interface.network.prefixlen, _PERMANENT, _SCOPE_UNIVERSE],
        "attributes": [[_IFA_ADDRESS, packed], *([[_IFA_LOCAL, packed]] if interface.version == 4 else [])],
    }


def route(destination: str, via: str = "") -> dict[str, Any]:
    """A route to "198.51.100.0/24" or to "default", through a gateway or without one, in the same form."""
    everywhere = "::/0" if ":" in via else "0.0.0.0/0"
    network = ipaddress.ip_network(everywhere if destination == "default" else destination)
    attributes = [[_RTA_TABLE, _MAIN_TABLE.to_bytes(4, "little").hex()]]
    if network.prefixlen:
        attributes.append([_RTA_DST, network.network_address.packed.hex()])
    if via:
        attributes.append([_RTA_GATEWAY, ipaddress.ip_address(via).packed.hex()])
    scope = _SCOPE_UNIVERSE if via or network.version == 6 else _SCOPE_LINK
    return {
        "shown": str(network) if network.prefixlen else "default",
        "gateway": bool(via),
        "header": [_family(network), network.prefixlen, 0, 0, _MAIN_TABLE, _STATIC, scope, _UNICAST, 0],
        "attributes": attributes,
    }


def _family(what: Any) -> int:
    return int(socket.AF_INET if what.version == 4 else socket.AF_INET6)


def address_add(namespace: FakeNamespace, name: str, address: dict[str, Any]) -> None:
    """Operation "address.add"; one that is there is fine."""
    link = namespace.find(name)
    if family_of(address) == socket.AF_INET6 and link.sysctls.get("ipv6/disable_ipv6") != "0":
        raise KernelError(errno.EACCES, "ipv6: IPv6 is disabled on this device")
    if address["shown"] not in [known["shown"] for known in link.addresses]:
        link.addresses.append(dict(address))


def address_delete(namespace: FakeNamespace, name: str, address: dict[str, Any]) -> None:
    """Operation "address.delete": secondary addresses go with the first of their subnet, routes with the last one."""
    link = namespace.find(name)
    gone = [known for known in link.addresses if known["shown"] == address["shown"]]
    if not gone:
        return
    same_subnet = [known for known in link.addresses if _subnet(known) == _subnet(address)]
    if same_subnet[0]["shown"] == address["shown"] and family_of(address) == socket.AF_INET:
        gone = same_subnet
    link.addresses = [known for known in link.addresses if known not in gone]
    if not any(family_of(known) == socket.AF_INET for known in link.addresses):
        link.routes = [known for known in link.routes if family_of(known) != socket.AF_INET]


def route_add(namespace: FakeNamespace, name: str, route: dict[str, Any]) -> None:
    """Operation "route.add"; one that is there is fine."""
    link = namespace.find(name)
    gateway = dict(map(tuple, route["attributes"])).get(_RTA_GATEWAY)
    if gateway is not None and not route["header"][8] & _ONLINK and not _reaches(link, gateway):
        raise KernelError(errno.ENETUNREACH, "Nexthop has invalid gateway")
    if not link.up:
        raise KernelError(errno.ENETDOWN, "Device for nexthop is not up")
    if any(_is_same(route, known) for known in link.routes):
        return
    link.routes.append(dict(route))


def route_delete(namespace: FakeNamespace, name: str, route: dict[str, Any]) -> None:
    """Operation "route.delete"; one that is gone is fine."""
    link = namespace.find(name)
    link.routes = [known for known in link.routes if not _is_same(route, known)]


def neighbour_probe(namespace: FakeNamespace, name: str, address: str, seconds: float) -> None:
    """Operation "neighbour.probe": every neighbour answers, on a device that is up."""
    if not namespace.find(name).up:
        raise KernelError(errno.EHOSTUNREACH, f"{address} does not answer")


def link_up(link: FakeLink) -> None:
    """The loopback device gets its address by itself."""
    if link.loopback and not link.addresses and link.sysctls:
        link.addresses = [address("127.0.0.1/8")]


def link_down(link: FakeLink) -> None:
    """Routes do not survive that their device goes down; addresses do."""
    link.routes = []


def ipv6_off(link: FakeLink) -> None:
    """IPv6 addresses and routes do not survive that it is switched off."""
    link.addresses = [known for known in link.addresses if family_of(known) != socket.AF_INET6]
    link.routes = [known for known in link.routes if family_of(known) != socket.AF_INET6]


def _reaches(link: FakeLink, gateway: str) -> bool:
    wanted = ipaddress.ip_address(bytes.fromhex(gateway))
    subnets = [_subnet(known) for known in link.addresses]
    direct = [ipaddress.ip_network(known["shown"]) for known in link.routes if not known["gateway"]]
    own = [ipaddress.ip_interface(known["shown"]).ip for known in link.addresses]
    return link.up and wanted not in own and any(wanted in network for network in (*subnets, *direct))


def _subnet(address: dict[str, Any]) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_interface(address["shown"]).network


def _is_same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Routes of a device that differ in nothing; those of several devices, or gateways, are beside each other."""
    return (place_of(one), gateways_of(one)) == (place_of(other), gateways_of(other))
