# SPDX-License-Identifier: Apache-2.0
"""What Neutron's agents report of their hosts, which is what its mechanism drivers decide by."""

from __future__ import annotations

from typing import Any

Agent = dict[str, Any]

PHYSICAL_NETWORK = "physnet1"
_DEVICE = "eth1"


def open_vswitch(host: str, **configurations: Any) -> Agent:
    """The agent of a host with Open vSwitch; more as keywords: ovs_hybrid_plug=True."""
    reported = {
        "bridge_mappings": {PHYSICAL_NETWORK: "br-ex"},
        "tunnel_types": ["vxlan"],
        "tunneling_ip": "127.0.0.1",
        "integration_bridge": "br-int",
        "datapath_type": "system",
        "ovs_hybrid_plug": False,
        "ovs_capabilities": {"datapath_types": ["netdev", "system"], "iface_types": ["internal", "system", "tap"]},
    }
    return _agent("Open vSwitch agent", "neutron-openvswitch-agent", host, reported | configurations)


def open_vswitch_with_dpdk(host: str, **configurations: Any) -> Agent:
    """The same where the switch runs in userspace and speaks vhost-user."""
    capabilities = {"datapath_types": ["netdev"], "iface_types": ["internal", "tap", "dpdkvhostuserclient"]}
    reported = {"datapath_type": "netdev", "ovs_capabilities": capabilities, "vhostuser_socket_dir": "/run/vhost"}
    return open_vswitch(host, **reported | configurations)


def macvtap(host: str) -> Agent:
    """The agent of a host that gives its guests macvtap devices."""
    reported = {"interface_mappings": {PHYSICAL_NETWORK: _DEVICE}}
    return _agent("Macvtap agent", "neutron-macvtap-agent", host, reported)


def sriov(host: str) -> Agent:
    """The agent of a host with a network card that has virtual functions."""
    reported = {"device_mappings": {PHYSICAL_NETWORK: [_DEVICE]}}
    return _agent("NIC Switch agent", "neutron-sriov-nic-agent", host, reported)


def _agent(kind: str, binary: str, host: str, configurations: dict[str, Any]) -> Agent:
    return {"agent_type": kind, "binary": binary, "topic": "N/A", "host": host, "configurations": configurations}


#: Hosts of every kind. both: Open vSwitch and macvtap; nic: Open vSwitch and a card with virtual functions.
EVERY_KIND = (
    open_vswitch("ovs1"),
    open_vswitch("both"),
    macvtap("both"),
    open_vswitch("hybrid", ovs_hybrid_plug=True),
    open_vswitch_with_dpdk("dpdk1"),
    open_vswitch("nic"),
    sriov("nic"),
)
