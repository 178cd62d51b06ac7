# SPDX-License-Identifier: Apache-2.0
"""The addresses and routes of a VIF's network, in the form that os_vif.host.kernel.addresses takes. Pure.

Numbers are from the kernel's uapi headers linux/if_addr.h and linux/rtnetlink.h.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from typing import Any

from os_vif.objects.reading import stated

_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_RTA_DST, _RTA_GATEWAY, _RTA_PRIORITY = 1, 5, 6

_ADDRESS_WITHOUT_DETECTION = 0x02
_TABLE_MAIN, _PROTOCOL_STATIC, _TYPE_UNICAST = 254, 4, 1
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253
_GATEWAY_ON_LINK = 4

#: Routes of the first interface are preferred, as the numbers of interfaces are added to this.
_METRIC = 100

Item = dict[str, Any]


def addresses(vif: Any) -> Iterator[Item]:
    """The fixed addresses. The network side gave them to this port, so nobody is asked whether they are in use."""
    for subnet in _subnets(vif):
        network = ipaddress.ip_network(str(subnet.cidr))
        for fixed in stated(subnet, "ips") or ():
            yield _address(ipaddress.ip_address(str(fixed.address)), network)


def routes(vif: Any, number: int) -> Iterator[Item]:
    """The static routes, then the default routes, of the guest's interface of that number."""
    for subnet in _subnets(vif):
        network = ipaddress.ip_network(str(subnet.cidr))
        for route in stated(subnet, "routes") or ():
            destination = ipaddress.ip_network(str(route.cidr))
            yield _route(destination, stated(route, "gateway"), network, number)
        if gateway := stated(subnet, "gateway"):
            everywhere = ipaddress.ip_network("0.0.0.0/0" if network.version == 4 else "::/0")
            yield _route(everywhere, gateway, network, number)


def _subnets(vif: Any) -> Any:
    return [subnet for subnet in stated(vif, "network", "subnets") or () if stated(subnet, "cidr")]


def _address(address: Any, network: Any) -> Item:
    attributes = [[_IFA_LOCAL, address.packed.hex()], [_IFA_ADDRESS, address.packed.hex()]]
    if address.version == 4 and network.prefixlen < 31:
        attributes.append([_IFA_BROADCAST, network.broadcast_address.packed.hex()])
    flags = 0 if address.version == 4 else _ADDRESS_WITHOUT_DETECTION
    header = [_family(address), network.prefixlen, flags, _SCOPE_UNIVERSE]
    return {"shown": f"{address}/{network.prefixlen}", "header": header, "attributes": attributes}


def _route(destination: Any, gateway: Any, network: Any, number: int) -> Item:
    attributes = [[_RTA_PRIORITY, struct.pack("=I", _METRIC + number).hex()]]
    if destination.prefixlen:
        attributes.append([_RTA_DST, destination.network_address.packed.hex()])
    flags = 0
    if gateway:
        way = ipaddress.ip_address(str(gateway))
        attributes.append([_RTA_GATEWAY, way.packed.hex()])
        flags = 0 if way in network or way.is_link_local else _GATEWAY_ON_LINK
    scope = _SCOPE_UNIVERSE if gateway or destination.version == 6 else _SCOPE_LINK
    header = [_family(destination), destination.prefixlen, 0, 0, _TABLE_MAIN, _PROTOCOL_STATIC, scope, _TYPE_UNICAST]
    shown = str(destination) if destination.prefixlen else "default"
    return {"shown": shown, "gateway": bool(gateway), "header": [*header, flags], "attributes": attributes}


def _family(what: Any) -> int:
    return int(socket.AF_INET if what.version == 4 else socket.AF_INET6)
