# SPDX-License-Identifier: Apache-2.0
"""A network's Linux bridge, with what joins it to the outside, and its forwarding rules.

All of it is shared by the VIFs of a network, whichever plugin they have, and goes with the last of them unless
somebody else uses it. So it is configured in one place: the group ``os_vif_linux_bridge``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from os_vif.host.state import (
    NO_HOST_IP,
    AddressesMoved,
    Bridge,
    ExistingLink,
    ForwardingRules,
    IfForeign,
    Resource,
    Vlan,
)
from os_vif.plugins import names, option_types, reading

if TYPE_CHECKING:
    from os_vif.objects.network import Network
    from os_vif.objects.vif import VIFBase


def is_wanted(network: Network) -> bool:
    """Whether the network asks for its bridge to be made; those that are multi_host have it made by others."""
    return not reading.stated(network, "multi_host", default=False) and bool(
        reading.stated(network, "should_provide_bridge", default=False)
    )


def of_guest(vif: VIFBase, bridge: str) -> Iterator[Resource]:
    """The device that a hypervisor makes for a VIF and puts into its bridge."""
    name = reading.stated(vif, "vif_name", default="")
    if name and name != bridge:
        mtu = reading.stated(reading.network_of(vif, "bridge"), "mtu", default=0) or None
        mac = str(reading.stated(vif, "address", default=""))
        yield ExistingLink(name=str(name), master=bridge, mtu=mtu, required=False, guest_mac=mac)


class Bridging:
    """The bridge ``bridge`` of a VIF's network. Raises InvalidRequest for what the VIF does not say and must."""

    def __init__(self, config: Any, vif: VIFBase, network: Network, bridge: str) -> None:
        self._config = config
        self._vif = vif
        self._network = network
        self._bridge = bridge

    def resources(self) -> Iterator[Resource]:
        """The bridge, what joins it to the outside, and its forwarding rules."""
        yield from self._devices()
        yield from self._rules()

    def mtu(self) -> int | None:
        """A bridge that nothing joins to the outside has the MTU of its ports, unless the network states one."""
        joined = reading.stated(self._network, "should_provide_vlan", default=False) or self._flat_interface()
        return self._outer_mtu() if joined else reading.stated(self._network, "mtu", default=0) or None

    def _devices(self) -> Iterator[Resource]:
        yield Bridge(
            name=self._bridge,
            shared=True,
            mtu=self.mtu(),
            sysctls=NO_HOST_IP,
            if_foreign=IfForeign.SHARE,
            uplink=self._uplink(),
        )
        if reading.stated(self._network, "should_provide_vlan", default=False):
            yield from self._vlan()
        elif interface := self._flat_interface():
            self._check_joinable(interface, "flat_interface")
            yield AddressesMoved(source=interface, target=self._bridge, shared=True)
            yield ExistingLink(name=interface, master=self._bridge, mtu=self._outer_mtu(), shared=True)

    def _uplink(self) -> tuple[str, ...]:
        if not reading.stated(self._network, "should_provide_vlan", default=False):
            return tuple(filter(None, [self._flat_interface()]))
        return names.vlan(self._vlan_id()), self._vlan_parent()

    def _vlan(self) -> Iterator[Resource]:
        vlan_id, parent = self._vlan_id(), self._vlan_parent()
        self._check_joinable(parent, "vlan_interface")
        device = names.vlan(vlan_id)
        yield ExistingLink(name=parent, shared=True)
        yield AddressesMoved(source=device, target=self._bridge, shared=True)
        yield Vlan(
            name=device,
            parent=parent,
            vlan_id=vlan_id,
            master=self._bridge,
            mtu=self._outer_mtu(),
            shared=True,
            sysctls=NO_HOST_IP,
            if_foreign=IfForeign.SHARE,
        )

    def _vlan_id(self) -> int:
        return int(reading.required(self._vif, "network.vlan", "because the network asks for a VLAN"))

    def _vlan_parent(self) -> str:
        return str(
            self._config.vlan_interface
            or reading.required(
                self._vif,
                "network.bridge_interface",
                "or else the option vlan_interface, because the network asks for a VLAN",
            )
        )

    def _rules(self) -> Iterator[Resource]:
        if reading.stated(self._vif, "has_traffic_filtering", default=False):
            return
        config = self._config
        lines = forwarding_rules(self._bridge, config.forward_bridge_interface, config.iptables_drop_action)
        families = ("ipv4", "ipv6") if config.use_ipv6 else ("ipv4",)
        yield from _forwarding_chains(self._bridge, lines, families, self._above_ours())

    def _flat_interface(self) -> str:
        interface: str = self._config.flat_interface or reading.stated(self._network, "bridge_interface", default="")
        return interface

    def _check_joinable(self, interface: str, option: str) -> None:
        if interface == self._bridge:
            configured = getattr(self._config, option)
            field = f"[os_vif_linux_bridge] {option}" if configured else "network.bridge_interface"
            reading.refuse(self._vif, field, f"{interface} cannot be a port of the bridge {self._bridge}.")

    def _outer_mtu(self) -> int:
        return int(reading.stated(self._network, "mtu", default=0) or self._config.network_device_mtu)

    def _above_ours(self) -> str:
        pattern: str = self._config.iptables_top_regex
        try:
            re.compile(pattern)
        except re.error as error:
            field = "[os_vif_linux_bridge] iptables_top_regex"
            reading.refuse(self._vif, field, f"{pattern!r} is no pattern: {error}.")
        return pattern


def forwarding_rules(bridge: str, interfaces: Sequence[str], drop_action: str) -> tuple[str, ...]:
    """The forwarding rules of a bridge, in iptables' syntax, first to last: what the host may route to and from it.

    os-vif 4.3.0 writes the same rules into a chain that all bridges share, with a last one that can never match; here
    every bridge has a chain of its own, and the rules that it takes.

    ``interfaces`` are those that the bridge may exchange packets with; ``drop_action`` is the target for the rest.
    """
    if option_types.ALL in interfaces:
        return (f"-i {bridge} -j ACCEPT", f"-o {bridge} -j ACCEPT")
    return tuple(_only_with(bridge, [name for name in interfaces if name], drop_action))


def _only_with(bridge: str, interfaces: Sequence[str], drop_action: str) -> Iterator[str]:
    for interface in interfaces:
        if interface != bridge:
            yield f"-i {bridge} -o {interface} -j ACCEPT"
            yield f"-i {interface} -o {bridge} -j ACCEPT"
    yield f"-i {bridge} -o {bridge} -j ACCEPT"
    yield f"-i {bridge} -j {drop_action}"
    yield f"-o {bridge} -j {drop_action}"


def _forwarding_chains(
    bridge: str, lines: tuple[str, ...], families: Sequence[str], below: str
) -> Iterator[ForwardingRules]:
    """The same rules for each family; ``below`` is a regular expression for rules that stay above the chain's."""
    for family in families:
        chain = names.forwarding_chain(bridge)
        yield ForwardingRules(family=family, chain=chain, rules=lines, below=below, shared=True)
