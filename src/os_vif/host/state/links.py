# SPDX-License-Identifier: Apache-2.0
"""Network devices, as plugins state them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from os_vif.host.state.resource import IfForeign, Resource, resource_type

#: Sysctls of a device that carries a guest's traffic: the host must neither take an IPv6 address on it nor answer
#: ARP for it (Launchpad bugs 1825888, 1302080, 1470931). Set before the device is first brought up.
NO_HOST_IP: Mapping[str, str] = {
    "ipv6/disable_ipv6": "1",
    "ipv4/arp_ignore": "1",
    "ipv4/arp_announce": "2",
}


@dataclass(frozen=True, kw_only=True)
class Link(Resource):
    """A network device. An attribute that is None is left as it is.

    ``mtu`` in bytes; ``mac`` as aa:bb:cc:dd:ee:ff; ``master`` the name of the bridge it is a port of;
    ``sysctls`` maps "family/key" (below /proc/sys/net/<family>/conf/<device>/) to the value's text.
    """

    backend: ClassVar[str] = "link"
    kind: ClassVar[str] = ""
    #: Whether it carries one guest's packets, and no other's.
    guests_own: ClassVar[bool] = False

    name: str
    mtu: int | None = None
    mac: str | None = None
    up: bool | None = True
    master: str | None = None
    promiscuous: bool | None = None
    sysctls: Mapping[str, str] = dataclasses.field(default_factory=dict)
    if_foreign: IfForeign = IfForeign.REFUSE

    @property
    def key(self) -> str:
        return f"link/{self.name}"

    @property
    def label(self) -> str:
        return f"{self.kind or 'device'} {self.name}"

    def silenced(self) -> Resource:
        return dataclasses.replace(self, up=False) if self.guests_own and not self.shared else self


@resource_type
@dataclass(frozen=True, kw_only=True)
class Bridge(Link):
    """A Linux bridge. Times are in hundredths of a second, as the kernel counts them (IFLA_BR_*).

    ``uplink``: the device that leads it out, whose place it takes for the host; of several, the first that is there.
    It has the MAC address of that, and whether the host has IP on it is the concern of AddressesMoved.
    """

    kind: ClassVar[str] = "bridge"

    uplink: tuple[str, ...] = ()
    ageing_time: int | None = None
    forward_delay: int | None = None
    stp: bool | None = None
    mcast_snooping: bool | None = None


@resource_type
@dataclass(frozen=True, kw_only=True)
class Veth(Link):
    """The end of a veth pair that is made, and deleted, for both."""

    kind: ClassVar[str] = "veth"
    guests_own: ClassVar[bool] = True

    peer: str


@resource_type
@dataclass(frozen=True, kw_only=True)
class VethPeer(Link):
    """The other end of a veth pair: it comes and goes with ``peer``, a Veth stated before it."""

    kind: ClassVar[str] = "veth"
    guests_own: ClassVar[bool] = True

    peer: str


@resource_type
@dataclass(frozen=True, kw_only=True)
class Tap(Link):
    """A persistent tap device, for a hypervisor to open. ``owner`` and ``group`` are numeric ids."""

    kind: ClassVar[str] = "tun"
    guests_own: ClassVar[bool] = True

    multi_queue: bool = False
    owner: int | None = None
    group: int | None = None

    @property
    def label(self) -> str:
        return f"tap {self.name}"


@resource_type
@dataclass(frozen=True, kw_only=True)
class Vlan(Link):
    """A VLAN device on ``parent``; needs the kernel's 8021q module.

    Instead of ``parent``, ``parent_pci`` may name the PCI address of the device whose netdev is meant.
    """

    kind: ClassVar[str] = "vlan"

    parent: str | None = None
    parent_pci: str | None = None
    vlan_id: int


@resource_type
@dataclass(frozen=True, kw_only=True)
class Macvtap(Link):
    """A macvtap device on ``parent``; ``mode`` is vepa, bridge, passthru or private.

    Instead of ``parent``, ``parent_pci`` may name the PCI address of the device whose netdev is meant.
    """

    kind: ClassVar[str] = "macvtap"
    guests_own: ClassVar[bool] = True

    parent: str | None = None
    parent_pci: str | None = None
    mode: str = "bridge"


@resource_type
@dataclass(frozen=True, kw_only=True)
class ExistingLink(Link):
    """A device that must be there already, and that stays: only attributes of it are set, and set back.

    One that is not ``required`` may come later, by somebody who gives it the right attributes. With ``leave_down`` it
    is down in the end, whatever it was before. ``guest_mac``: the address of the guest that it is for, by which it is
    found where it was renamed.
    """

    kind: ClassVar[str] = ""
    if_foreign: IfForeign = IfForeign.SHARE
    required: bool = True
    leave_down: bool = False
    guest_mac: str = ""
