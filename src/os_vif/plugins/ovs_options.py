# SPDX-License-Identifier: Apache-2.0
"""The options of the Open vSwitch plugin."""

from __future__ import annotations

from oslo_config import cfg

#: The name of the plugin.
NAME = "ovs"

_GROUP = "DEFAULT"

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.IntOpt(
        "network_device_mtu",
        default=1500,
        min=68,
        max=65535,
        deprecated_group=_GROUP,
        help="The MTU, in bytes, of devices of networks that state none.",
    ),
    cfg.IntOpt(
        "ovs_vsctl_timeout",
        default=120,
        min=0,
        deprecated_group=_GROUP,
        help="Seconds that Open vSwitch may take to act on a change; 0 for as long as it takes.",
    ),
    cfg.StrOpt(
        "ovsdb_connection",
        default="tcp:127.0.0.1:6640",
        help="Where the database of Open vSwitch is: unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT; several, separated by "
        "commas, are tried in turn.",
    ),
    cfg.StrOpt("ssl_key_file", default="", help="The private key for ssl: in ovsdb_connection, a PEM file."),
    cfg.StrOpt("ssl_cert_file", default="", help="The certificate that belongs to ssl_key_file, a PEM file."),
    cfg.StrOpt(
        "ssl_ca_cert_file",
        default="",
        help="The certificate authority that the server's certificate must come from, a PEM file.",
    ),
    cfg.StrOpt(
        "ovsdb_interface",
        default="native",
        choices=[
            ("native", "talk to the database"),
            ("vsctl", "the same: ovs-vsctl is no longer used. Deprecated."),
        ],
        help="How the database is reached. There is one way left; the option is read for old configuration's sake.",
    ),
    cfg.BoolOpt(
        "isolate_vif",
        default=False,
        help="Put new ports into a VLAN that leads nowhere, until the agent of the network side gives them theirs. For "
        "Neutron's Open vSwitch agent only: OVN does not take ports out of it.",
    ),
    cfg.BoolOpt(
        "per_port_bridge",
        default=False,
        help="Give each port that the plugin makes a bridge of its own, connected to the integration bridge by patch "
        "ports. Shortens the gap in live migration with OVN.",
    ),
    cfg.StrOpt(
        "default_qos_type",
        default="linux-noop",
        choices=["linux-htb", "linux-hfsc", "linux-sfq", "linux-codel", "linux-fq_codel", "linux-noop"],
        help="The queueing that new ports get on the kernel's datapath; linux-noop leaves the device as it is.",
    ),
)
