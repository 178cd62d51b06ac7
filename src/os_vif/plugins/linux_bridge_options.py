# SPDX-License-Identifier: Apache-2.0
"""The options of the Linux bridge plugin; each is read from ``[DEFAULT]`` too, where nova-network had them."""

from __future__ import annotations

from typing import Any

from oslo_config import cfg

from os_vif.plugins import option_types

GROUP = "os_vif_linux_bridge"
_OLD_GROUP = "DEFAULT"

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.BoolOpt(
        "use_ipv6",
        default=True,
        deprecated_group=_OLD_GROUP,
        help="Write the forwarding rules of a bridge for IPv6 as well, where there is ip6tables. Without them, guests "
        "have no IPv6 on hosts that drop what they forward, as with Docker.",
    ),
    cfg.StrOpt(
        "iptables_top_regex",
        default="",
        deprecated_group=_OLD_GROUP,
        help="Rules of the chain FORWARD that match this regular expression stay above those for bridges.",
    ),
    cfg.StrOpt(
        "iptables_bottom_regex",
        default="",
        deprecated_group=_OLD_GROUP,
        help="Rules of the chain FORWARD that match this regular expression stay below those for bridges. "
        "So do all that iptables_top_regex does not match, hence nothing has to be set; it is read for old "
        "configuration's sake.",
    ),
    cfg.Opt(
        "iptables_drop_action",
        type=option_types.Target(),
        default="DROP",
        deprecated_group=_OLD_GROUP,
        help="The target of iptables for packets between a bridge and an interface that it may not exchange them with.",
    ),
    cfg.MultiOpt(
        "forward_bridge_interface",
        item_type=option_types.Interfaces(option_types.ALL),
        default=["all"],
        deprecated_group=_OLD_GROUP,
        help="An interface that the host forwards packets to and from, on behalf of bridges. May be given several "
        "times; 'all' stands for every interface.",
    ),
    cfg.Opt(
        "vlan_interface",
        type=option_types.Interface(),
        deprecated_group=_OLD_GROUP,
        help="The interface that VLAN devices are made on. Without it, each network's bridge_interface.",
    ),
    cfg.Opt(
        "flat_interface",
        type=option_types.Interface(),
        deprecated_group=_OLD_GROUP,
        help="The interface that becomes a port of the bridges of networks without a VLAN. Without it, each "
        "network's bridge_interface.",
    ),
    cfg.IntOpt(
        "network_device_mtu",
        default=1500,
        min=68,
        max=65535,
        deprecated_group=_OLD_GROUP,
        help="The MTU, in bytes, of interfaces in bridges, for networks that state none.",
    ),
)


def registered() -> Any:
    """The live options, for other plugins that put devices into the same bridges."""
    cfg.CONF.register_opts(list(OPTIONS), group=GROUP)
    return cfg.CONF[GROUP]
