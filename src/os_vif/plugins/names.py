# SPDX-License-Identifier: Apache-2.0
"""The names of devices, in one place: the network side and the hypervisor side must come to the same ones.

Most are a prefix and the beginning of an id, 14 characters in all. The kernel would take 15; 14 is what Nova and
Neutron have always cut to, and what they look for.
"""

from __future__ import annotations

#: Characters of the name of a network device, as Nova and Neutron count.
DEVICE_NAME_LENGTH = 14

#: Characters of the name of a patch port, which exists in Open vSwitch only.
PATCH_PORT_NAME_LENGTH = 64

TAP_PREFIX = "tap"
FALLBACK_PREFIX = "nic"
HYBRID_BRIDGE_PREFIX = "qbr"
HYBRID_BRIDGE_END_PREFIX = "qvb"
HYBRID_SWITCH_END_PREFIX = "qvo"
VHOST_USER_PREFIX = "vhu"
NETWORK_BRIDGE_PREFIX = "brq"
PORT_BRIDGE_PREFIX = "pb"
PORT_BRIDGE_PATCH_PREFIX = "pbp"
INTEGRATION_BRIDGE_PATCH_PREFIX = "ibp"
DPDK_REPRESENTOR_PREFIX = "vfr"
TRUNK_BRIDGE_PREFIX = "tbr-"
VLAN_PREFIX = "vlan"
CHAIN_PREFIX = "os-vif-"


def tap(port_id: str) -> str:
    """The tap device of a port: ``tap`` and the beginning of its id."""
    return _cut(TAP_PREFIX, port_id)


def fallback(port_id: str) -> str:
    """The device of a port whose VIF does not name one, as Nova calls it."""
    return _cut(FALLBACK_PREFIX, port_id)


def hybrid_bridge(port_id: str) -> str:
    """The Linux bridge between a guest and Open vSwitch."""
    return _cut(HYBRID_BRIDGE_PREFIX, port_id)


def hybrid_bridge_end(port_id: str) -> str:
    """The end, at the Linux bridge, of the veth pair to Open vSwitch."""
    return _cut(HYBRID_BRIDGE_END_PREFIX, port_id)


def hybrid_switch_end(port_id: str) -> str:
    """The end, at Open vSwitch, of the veth pair to the Linux bridge."""
    return _cut(HYBRID_SWITCH_END_PREFIX, port_id)


def vhost_user(port_id: str) -> str:
    """The port, and the last part of the socket's path, of a vhost-user port."""
    return _cut(VHOST_USER_PREFIX, port_id)


def network_bridge(network_id: str) -> str:
    """The Linux bridge of a network."""
    return _cut(NETWORK_BRIDGE_PREFIX, network_id)


def port_bridge(port_id: str) -> str:
    """The Open vSwitch bridge that a port has for itself."""
    return _cut(PORT_BRIDGE_PREFIX, port_id)


def port_bridge_patch(port_id: str) -> str:
    """The patch port, on a port's own bridge, to the integration bridge."""
    return _cut(PORT_BRIDGE_PATCH_PREFIX, port_id, PATCH_PORT_NAME_LENGTH)


def integration_bridge_patch(port_id: str) -> str:
    """The patch port, on the integration bridge, to a port's own bridge."""
    return _cut(INTEGRATION_BRIDGE_PATCH_PREFIX, port_id, PATCH_PORT_NAME_LENGTH)


def dpdk_representor(port_id: str) -> str:
    """The port of Open vSwitch for the DPDK representor of a virtual function."""
    return _cut(DPDK_REPRESENTOR_PREFIX, port_id)


def vlan(vlan_id: int) -> str:
    """The VLAN device of the Linux bridge plugin."""
    return f"{VLAN_PREFIX}{vlan_id}"


def forwarding_chain(bridge: str) -> str:
    """The chain of iptables with the forwarding rules of a bridge; at most 22 of the 28 characters a chain may have."""
    return f"{CHAIN_PREFIX}{bridge}"


def _cut(prefix: str, identity: str, length: int = DEVICE_NAME_LENGTH) -> str:
    return (prefix + identity)[:length]
