# SPDX-License-Identifier: Apache-2.0
"""What this driver can do for a port, and the VIF that comes of what was chosen. Pure."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable, Sequence
from typing import Any

from os_vif.negotiation.choice import Choice
from os_vif.negotiation.offer import BY_HYPERVISOR, BY_PLUGIN
from os_vif.negotiation.provision import Provision
from os_vif.negotiation.refusal import Code
from os_vif.negotiation.request import Request
from os_vif.networks.driver import Port
from os_vif.networks.local import model
from os_vif.networks.local.options import DATAPATH_NETDEV
from os_vif.objects.fixed_ip import FixedIP, FixedIPList
from os_vif.objects.network import Network
from os_vif.objects.route import RouteList
from os_vif.objects.subnet import Subnet, SubnetList
from os_vif.objects.vif import (
    VIFBase,
    VIFBridge,
    VIFGeneric,
    VIFOpenVSwitch,
    VIFPortProfileOpenVSwitch,
    VIFVHostUser,
)
from os_vif.plugins import names

#: In Neutron's words, a port that needs no hardware.
_NORMAL = "normal"


def provisions(network: model.Network, config: Any, request: Request) -> Sequence[Provision]:
    """The ways to wire the port that is asked for on this host, in no order."""
    known = _by_ovs(network, config) if network.switch == model.OVS else _by_linux_bridge(network, request.queues)
    if request.vnic_type == _NORMAL:
        return known
    reason = f"The port is to be {request.vnic_type}; networks of this driver have {_NORMAL} ports only."
    return [dataclasses.replace(provision, refusal=(Code.UNSUPPORTED, reason)) for provision in known]


def _by_linux_bridge(network: model.Network, queues: int) -> Sequence[Provision]:
    return (
        Provision("bridge", VIFBridge, device_by=(BY_HYPERVISOR,), mtu=network.mtu),
        Provision("tap", VIFGeneric, _profile_of_tap(queues), device_by=(BY_PLUGIN,), mtu=network.mtu),
        *(_elsewhere(name, vif, "a Linux bridge") for name, vif in _OVS_TYPES),
    )


_OVS_TYPES: Sequence[tuple[str, type[VIFBase]]] = (
    ("ovs", VIFOpenVSwitch),
    ("ovs-hybrid", VIFBridge),
    ("vhostuser", VIFVHostUser),
)


def _profile_of_tap(queues: int) -> type[VIFPortProfileOpenVSwitch] | None:
    """Of the port profiles that the tap plugin takes, the one that says whether a tap has several queues."""
    return VIFPortProfileOpenVSwitch if queues > 1 else None


def _by_ovs(network: model.Network, config: Any) -> Sequence[Provision]:
    profile = VIFPortProfileOpenVSwitch
    return (
        Provision("ovs", VIFOpenVSwitch, profile, device_by=(BY_PLUGIN, BY_HYPERVISOR), mtu=network.mtu),
        Provision("ovs-hybrid", VIFBridge, profile, device_by=(BY_HYPERVISOR,), mtu=network.mtu),
        Provision(
            "vhostuser", VIFVHostUser, profile, needs_shared_memory=True, mtu=network.mtu, refusal=_without_dpdk(config)
        ),
        _elsewhere("bridge", VIFBridge, "Open vSwitch"),
        _elsewhere("tap", VIFGeneric, "Open vSwitch"),
    )


def _elsewhere(name: str, vif: type[VIFBase], switch: str) -> Provision:
    return Provision(name, vif, refusal=(Code.UNSUPPORTED, f"The network is switched by {switch}."))


def _without_dpdk(config: Any) -> tuple[str, str] | None:
    if config.ovs_datapath_type == DATAPATH_NETDEV and config.ovs_dpdk:
        return None
    reason = "Open vSwitch does not run with DPDK here ([os_vif_network_local] ovs_datapath_type and ovs_dpdk)."
    return Code.DRIVER, reason


def vif_for(choice: Choice, network: model.Network, port: Port, config: Any, queues: int = 1) -> VIFBase:
    """The VIF of a port, as the choice has it; ``queues``: pairs that the guest wants."""
    common = {"id": port.port_id, "address": port.mac_address, "network": network_of(network, port), "active": True}
    return _MAKERS[choice.provision.name](common, network, port, config, choice.device_by, queues)


def network_of(network: model.Network, port: Port | None = None) -> Network:
    """The network as plugins know it; ``port``: whose addresses are in it."""
    linux = network.switch == model.LINUX_BRIDGE
    made = Network(
        id=network.id,
        bridge=network.bridge,
        label=network.name,
        subnets=SubnetList(objects=[_subnet(subnet, port) for subnet in network.subnets]),
        mtu=network.mtu,
        should_provide_bridge=linux,
        should_provide_vlan=network.vlan is not None,
    )
    if network.uplink is not None:
        made.bridge_interface = network.uplink
    if network.vlan is not None:
        made.vlan = network.vlan
    return made


def _subnet(subnet: model.Subnet, port: Port | None) -> Subnet:
    cidr = ipaddress.ip_network(subnet.cidr)
    given = [text for text in (port.ip_addresses if port else ()) if ipaddress.ip_address(text) in cidr]
    made = Subnet(
        cidr=subnet.cidr,
        dns=[],
        ips=FixedIPList(objects=[FixedIP(address=text, floating_ips=[]) for text in given]),
        routes=RouteList(objects=[]),
    )
    if subnet.gateway:
        made.gateway = subnet.gateway
    if subnet.dhcp_server:
        made.dhcp_server = subnet.dhcp_server
    return made


def _bridge(common: dict[str, Any], network: model.Network, port: Port, *_: Any) -> VIFBase:
    name = names.tap(port.port_id)
    return VIFBridge(**common, plugin="linux_bridge", vif_name=name, bridge_name=network.bridge)


def _tap(common: dict[str, Any], network: model.Network, port: Port, config: Any, by: str, queues: int) -> VIFBase:
    made = VIFGeneric(**common, plugin="tap", vif_name=names.tap(port.port_id))
    profile = _profile_of_tap(queues)
    if profile:
        made.port_profile = profile(interface_id=port.port_id, multiqueue=True)
    return made


def _ovs(
    common: dict[str, Any], network: model.Network, port: Port, config: Any, device_by: str, queues: int
) -> VIFBase:
    made = device_by == BY_PLUGIN
    profile = _profile(port, config, create_port=True, create_tap=made, multiqueue=made and queues > 1)
    name = names.tap(port.port_id)
    return VIFOpenVSwitch(**common, plugin="ovs", vif_name=name, bridge_name=network.bridge, port_profile=profile)


def _hybrid(common: dict[str, Any], network: model.Network, port: Port, config: Any, *_: Any) -> VIFBase:
    name, bridge = names.tap(port.port_id), names.hybrid_bridge(port.port_id)
    profile = _profile(port, config)
    return VIFBridge(**common, plugin="ovs", vif_name=name, bridge_name=bridge, port_profile=profile)


def _vhost_user(common: dict[str, Any], network: model.Network, port: Port, config: Any, *_: Any) -> VIFBase:
    name = names.vhost_user(port.port_id)
    path = f"{config.vhostuser_socket_dir}/{name}"
    profile = _profile(port, config)
    return VIFVHostUser(**common, plugin="ovs", vif_name=name, path=path, mode="server", port_profile=profile)


def _profile(port: Port, config: Any, **particulars: Any) -> VIFPortProfileOpenVSwitch:
    datapath = config.ovs_datapath_type
    return VIFPortProfileOpenVSwitch(interface_id=port.port_id, datapath_type=datapath, **particulars)


_MAKERS: dict[str, Callable[..., VIFBase]] = {
    "bridge": _bridge,
    "tap": _tap,
    "ovs": _ovs,
    "ovs-hybrid": _hybrid,
    "vhostuser": _vhost_user,
}
