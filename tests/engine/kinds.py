# SPDX-License-Identifier: Apache-2.0
"""One case for every type of resource: what is there before, and what a VIF wants."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from os_vif.host.contract.operations import Operation
from os_vif.host.engine.request import Request
from os_vif.host.state import (
    NO_HOST_IP,
    AddressesMoved,
    Bridge,
    ExistingLink,
    ForwardingRules,
    HostState,
    Macvtap,
    Resource,
    Tap,
    Veth,
    VethPeer,
    Vlan,
)
from os_vif.testing.fake.addresses import address, route

_MAC = "52:54:00:00:00:{:02x}"

_BRIDGE = Bridge(name="br0", shared=True, sysctls=NO_HOST_IP)


@dataclass(frozen=True)
class Kind:
    """``before`` are operations that make what somebody else has on the host, ``resources`` what is plugged there."""

    name: str
    resources: tuple[Resource, ...]
    before: tuple[Operation, ...] = ()
    #: Only on the fake host: the kernels that tests run on often lack it.
    fake_only: bool = False

    def request(self, number: int = 1) -> Request:
        """As a plugin would ask for it."""
        return Request(f"vif-{number}", "some", HostState(self.resources), "os_vif.privsep", {"number": number})


def _op(operation: str, /, **arguments: object) -> Operation:
    return Operation(operation, arguments)


def _card(addresses: Sequence[str] = (), routes: Sequence[tuple[str, str]] = ()) -> tuple[Operation, ...]:
    """A device that is not ours, and up: a veth, since test machines have no cards to give away."""
    return (
        _op("link.add", name="eth0", kind="veth", peer="far0", mac=_MAC.format(0xE0)),
        _op("link.set", name="eth0", group=0, up=True),
        _op("link.set", name="far0", group=0, up=True, mac=_MAC.format(0xF0)),
        *(_op("address.add", name="eth0", address=address(text)) for text in addresses),
        *(_op("route.add", name="eth0", route=route(*pair)) for pair in routes),
    )


_ADDRESSES = ("192.0.2.5/24", "192.0.2.6/24", "198.51.100.9/30", "2001:db8::5/64")
_ROUTES = (("203.0.113.0/24", ""), ("default", "192.0.2.1"), ("2001:db8:7::/48", "2001:db8::1"))

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "bridge",
            (
                Bridge(
                    name="br0",
                    shared=True,
                    sysctls=NO_HOST_IP,
                    mtu=1450,
                    ageing_time=0,
                    forward_delay=0,
                    stp=False,
                    mcast_snooping=False,
                ),
            ),
        ),
        Kind(
            "veth pair",
            (
                Bridge(name="br0", sysctls=NO_HOST_IP),
                Veth(name="v0", peer="v1", mac=_MAC.format(1), mtu=1400, master="br0", sysctls=NO_HOST_IP),
                VethPeer(name="v1", peer="v0", mac=_MAC.format(2), mtu=1400, promiscuous=True, sysctls=NO_HOST_IP),
            ),
        ),
        Kind("tap", (_BRIDGE, Tap(name="tap0", mac=_MAC.format(3), mtu=1400, master="br0", sysctls=NO_HOST_IP))),
        Kind("multiqueue tap", (Tap(name="tap0", mac=_MAC.format(3), multi_queue=True, sysctls=NO_HOST_IP),)),
        Kind(
            "macvtap",
            (
                ExistingLink(name="eth0", shared=True, mtu=1400),
                Macvtap(name="mvt0", parent="eth0", mode="bridge", mac=_MAC.format(4), sysctls=NO_HOST_IP),
            ),
            _card(),
        ),
        Kind(
            "addresses moved",
            (
                dataclasses.replace(_BRIDGE, uplink=("eth0",)),
                AddressesMoved(source="eth0", target="br0", shared=True),
                ExistingLink(name="eth0", master="br0", mtu=1400, shared=True),
            ),
            _card(_ADDRESSES, _ROUTES),
        ),
        Kind(
            "forwarding rules",
            (
                _BRIDGE,
                ForwardingRules(
                    family="ipv4",
                    chain="os-vif-br0",
                    rules=("-i br0 -o br0 -j ACCEPT", "-i br0 -j DROP"),
                    shared=True,
                ),
            ),
        ),
        Kind(
            "VLAN",
            (
                _BRIDGE,
                ExistingLink(name="eth0", shared=True),
                Vlan(name="vlan7", parent="eth0", vlan_id=7, master="br0", mtu=1400, shared=True, sysctls=NO_HOST_IP),
            ),
            _card(),
            fake_only=True,
        ),
    )
}
