# SPDX-License-Identifier: Apache-2.0
"""A device of a fake host, and what the kernel allows for each kind of device."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from os_vif.host.kernel.rtnetlink import LinkInfo

NO_MAC = "00:00:00:00:00:00"

#: Kind → smallest and largest MTU (the kernel's dev->min_mtu and dev->max_mtu). "" is a physical device.
MTU_LIMITS: dict[str, tuple[int, int]] = {
    "": (68, 9710),
    "bridge": (68, 65535),
    "loopback": (0, 65536),
    "macvtap": (68, 65535),
    "tun": (68, 65521),
    "veth": (68, 65535),
    "vlan": (0, 65535),
}

#: Below this MTU the kernel takes a protocol, and its sysctls, off a device; at or above it puts them there anew.
PROTOCOL_MINIMUM_MTU = {"ipv4": 68, "ipv6": 1280}

SYSCTL_DEFAULTS: dict[str, str] = {
    "ipv4/arp_announce": "0",
    "ipv4/arp_ignore": "0",
    "ipv4/forwarding": "0",
    "ipv4/proxy_arp": "0",
    "ipv4/rp_filter": "0",
    "ipv6/accept_ra": "1",
    "ipv6/addr_gen_mode": "0",
    "ipv6/autoconf": "1",
    "ipv6/disable_ipv6": "0",
    "ipv6/forwarding": "0",
    "ipv6/proxy_ndp": "0",
}

OPTION_DEFAULTS: dict[str, dict[str, Any]] = {
    "bridge": {"ageing_time": 30000, "forward_delay": 1500, "mcast_snooping": 1, "stp": 0},
    "macvtap": {"mode": "vepa"},
}


@dataclass(eq=False)
class FakeLink:
    """A device. Unlike the kernel it names its bridge, its parent and its peer, and holds its addresses and routes.

    ``addresses`` and ``routes`` are in the form of os_vif.host.kernel.addresses; ``shown`` in each is for people.
    """

    name: str
    index: int
    kind: str = ""
    mtu: int = 1500
    mac: str = NO_MAC
    up: bool = False
    promiscuous: bool = False
    master: str = ""
    parent: str = ""
    peer: str = ""
    group: int = 0
    alias: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    sysctls: dict[str, str] = field(default_factory=dict)
    addresses: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    pci: str = ""
    #: Whether a process holds it open, as a hypervisor does a tap.
    held_open: bool = False
    #: Whether somebody chose them; else a bridge takes them from its ports.
    mac_is_set: bool = False
    mtu_is_set: bool = False
    #: Whether the MAC address was thrown by dice.
    mac_is_random: bool = False

    @property
    def loopback(self) -> bool:
        """Whether this is ``lo``."""
        return self.kind == "" and self.name == "lo"

    def mtu_limits(self) -> tuple[int, int]:
        """The smallest and the largest MTU."""
        return MTU_LIMITS["loopback" if self.loopback else self.kind]

    def refresh_protocols(self) -> None:
        """Lets IP, its sysctls and its addresses come and go with the MTU, as the kernel does."""
        for family, smallest in PROTOCOL_MINIMUM_MTU.items():
            if self.mtu < smallest and not (self.loopback and family == "ipv6"):
                self.sysctls = {key: value for key, value in self.sysctls.items() if not key.startswith(family)}
            elif not any(key.startswith(family) for key in self.sysctls):
                self.sysctls |= {key: value for key, value in SYSCTL_DEFAULTS.items() if key.startswith(family)}
        if self.mtu < PROTOCOL_MINIMUM_MTU["ipv4"]:
            self.addresses, self.routes = [], []

    def at_boot(self, index: int) -> FakeLink:
        """The same network card, as a machine finds it when it comes up."""
        return new_link(self.name, index, "", mac=self.mac, mac_is_set=True, pci=self.pci)

    def visible(self) -> dict[str, Any]:
        """What an onlooker sees of the device, apart from its index, and from a MAC that was thrown by dice."""
        hidden = ("index", "mac_is_set", "mtu_is_set", "mac_is_random")
        shown = {name: value for name, value in vars(self).items() if name not in hidden}
        shown["mac"] = self.mac if self.mac_is_set and not self.mac_is_random else ""
        shown["addresses"] = [address["shown"] for address in self.addresses]
        shown["routes"] = sorted(route["shown"] for route in self.routes)
        return copy.deepcopy(shown)

    def info(self, master: int, below: int) -> LinkInfo:
        """As os_vif.host.kernel.rtnetlink would describe it; ``below`` is the index of the parent or of the peer."""
        return LinkInfo(
            index=self.index,
            name=self.name,
            kind=self.kind,
            mtu=self.mtu,
            mac=self.mac,
            up=self.up,
            promiscuous=self.promiscuous,
            master=master,
            parent=below,
            group=self.group,
            alias=self.alias,
            options=dict(self.options),
            carrier=self.held_open if self.kind == "tun" else self.up,
        )


def new_link(name: str, index: int, kind: str, **values: Any) -> FakeLink:
    """A device in its first moment."""
    link = FakeLink(name, index, kind, **values)
    link.options = OPTION_DEFAULTS.get(kind, {}) | link.options
    link.refresh_protocols()
    return link
