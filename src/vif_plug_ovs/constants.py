# SPDX-License-Identifier: Apache-2.0
"""Constants that clients of earlier releases import."""

from os_vif.plugins import names, ovs_options, ovs_wiring

PLUGIN_NAME = ovs_options.NAME
OVS_VHOSTUSER_INTERFACE_TYPE = ovs_wiring.VHOST_USER_TYPE["client"]
OVS_VHOSTUSER_CLIENT_INTERFACE_TYPE = ovs_wiring.VHOST_USER_TYPE["server"]
OVS_VHOSTUSER_PREFIX = names.VHOST_USER_PREFIX
OVS_DATAPATH_SYSTEM = ovs_wiring.DATAPATH_SYSTEM
OVS_DATAPATH_NETDEV = ovs_wiring.DATAPATH_NETDEV
OVS_DPDK_INTERFACE_TYPE = "dpdk"
DEAD_VLAN = ovs_wiring.DEAD_VLAN
TRUNK_BR_PREFIX = names.TRUNK_BRIDGE_PREFIX
