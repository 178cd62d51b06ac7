# SPDX-License-Identifier: Apache-2.0
"""Which gateways guests are told of by DHCP: those that somebody has. Else their packets would go nowhere.

A network with an uplink has its gateway beyond it. On a bridge of guests alone nobody but this host can have it.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Collection, Iterator

from os_vif.host.access.host import HostAccess
from os_vif.host.kernel import neighbours
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.networks.driver import Port
from os_vif.networks.local.model import LINUX_BRIDGE, Network
from os_vif.plugins import names


def announced(
    network: Network, ports: Collection[Port], host: HostAccess, told: str, *, may_ask: bool
) -> Iterator[str]:
    """``told``: what guests are told by now; ``may_ask``: whether there is half a second to ask who has one."""
    bridge = host.get_link(network.bridge)
    for subnet in network.subnets:
        if not subnet.gateway or not subnet.dhcp_server:
            continue
        if network.uplink or (bridge and _is_had(subnet.gateway, network, bridge, ports, host)):  # noqa: SIM114
            yield subnet.gateway
        # Where a bridge of Open vSwitch leads the kernel does not say.
        elif bridge and network.switch != LINUX_BRIDGE and _is_known(subnet.gateway, bridge, told, may_ask=may_ask):
            yield subnet.gateway


def _is_had(gateway: str, network: Network, bridge: LinkInfo, ports: Collection[Port], host: HostAccess) -> bool:
    if any(address["shown"].partition("/")[0] == gateway for address in host.addresses_of(bridge.index)):
        return True
    guests = {names.tap(port.port_id) for port in ports}
    return network.switch == LINUX_BRIDGE and any(one.name not in guests for one in host.ports_of(bridge.index))


def _is_known(gateway: str, bridge: LinkInfo, told: str, *, may_ask: bool) -> bool:
    if f",{gateway}\n" in told or not may_ask:
        return f",{gateway}\n" in told
    with contextlib.suppress(OSError):
        return neighbours.answers(bridge.name, ipaddress.ip_address(gateway))
    return False
