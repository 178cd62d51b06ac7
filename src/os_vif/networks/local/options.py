# SPDX-License-Identifier: Apache-2.0
"""The options of the driver."""

from __future__ import annotations

from oslo_config import cfg

DATAPATH_SYSTEM, DATAPATH_NETDEV = "system", "netdev"

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt(
        "database",
        sample_default="networks.db in the state directory",
        help="The file that holds networks and ports. Several hosts that see one file share its networks.",
    ),
    cfg.StrOpt(
        "dhcp_user",
        sample_default="os-vif-dhcp, dnsmasq or nobody, the first there is",
        help="The user that DHCP servers run as, where os-vif runs as root. They keep three capabilities: NET_ADMIN, "
        "NET_RAW and NET_BIND_SERVICE.",
    ),
    cfg.StrOpt(
        "ovs_datapath_type",
        default=DATAPATH_SYSTEM,
        choices=[(DATAPATH_SYSTEM, "that of the kernel"), (DATAPATH_NETDEV, "that of the process, as with DPDK")],
        help="The datapath of the Open vSwitch bridges of networks on this host.",
    ),
    cfg.BoolOpt(
        "ovs_dpdk",
        default=False,
        help="Open vSwitch on this host runs with DPDK, so that guests with shared memory can have vhost-user ports. "
        "For the datapath netdev.",
    ),
    cfg.StrOpt(
        "vhostuser_socket_dir",
        default="/var/run/openvswitch",
        help="Where the sockets of vhost-user ports are; the hypervisor makes them there.",
    ),
)
