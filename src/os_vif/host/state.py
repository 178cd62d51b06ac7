# SPDX-License-Identifier: Apache-2.0
"""The vocabulary in which plugins state what the host should look like.

A plugin answers a VIF with a HostState: resources in the order in which they are to be made. Nothing here
touches the host; the engine reads what is there, and does what is missing.

Every resource is a frozen dataclass of JSON-able values, because the journal keeps it verbatim.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from os_vif import exception

#: Sysctls of a device that carries a guest's traffic: the host must neither take an IPv6 address on it nor answer
#: ARP for it (Launchpad bugs 1825888, 1302080, 1470931). Set before the device is first brought up.
NO_HOST_IP: Mapping[str, str] = {
    "ipv6/disable_ipv6": "1",
    "ipv4/arp_ignore": "1",
    "ipv4/arp_announce": "2",
}


class IfForeign(enum.StrEnum):
    """What to do when a resource is found that os-vif did not make."""

    REFUSE = "refuse"  #: it is in the way: an error, before anything is touched
    SHARE = "share"  #: use it; change only what is needed for traffic to flow, and never remove it
    ADOPT = "adopt"  #: treat it as our own from now on (plugged by an earlier os-vif, say)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One thing on the host. ``shared`` resources serve many VIFs and go when the last of these has gone."""

    realm: ClassVar[str]
    shared: bool = False

    @property
    def key(self) -> str:
        """Identifies the resource on the host, for the journal."""
        raise NotImplementedError

    @property
    def lock(self) -> str:
        """The lock to hold while the resource is looked at and changed; "" where none is needed."""
        return self.key

    @property
    def label(self) -> str:
        """What to call the resource in messages."""
        raise NotImplementedError

    def resolved(self, devices: Devices) -> Resource:
        """The resource, with what only the host knows filled in: names of devices that a plugin knows by address.

        Raises LookupError, which says what was not found.
        """
        return self


class Devices(Protocol):
    """What a host knows of its devices. Each but the first raises LookupError when there is no such device."""

    def netdev_of_pci(self, address: str) -> str | None:
        """The name of the network device at a PCI address, or None."""

    def representor_of(self, vf: str) -> str:
        """The name of the device in the host that stands for a virtual function, given by its PCI address."""

    def physical_function_of(self, vf: str) -> tuple[str, int]:
        """The PCI address of the physical function of a virtual function, and the latter's number."""


@dataclass(frozen=True, kw_only=True)
class Link(Resource):
    """A network device. An attribute that is None is left as it is.

    ``mtu`` in bytes; ``mac`` as aa:bb:cc:dd:ee:ff; ``master`` the name of the bridge it is a port of;
    ``sysctls`` maps "family/key" (below /proc/sys/net/<family>/conf/<device>/) to the value's text.
    """

    realm: ClassVar[str] = "link"
    kind: ClassVar[str] = ""

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


@dataclass(frozen=True, kw_only=True)
class Veth(Link):
    """The end of a veth pair that is made, and deleted, for both."""

    kind: ClassVar[str] = "veth"

    peer: str


@dataclass(frozen=True, kw_only=True)
class VethPeer(Link):
    """The other end of a veth pair: it comes and goes with ``peer``, a Veth stated before it."""

    kind: ClassVar[str] = "veth"

    peer: str


@dataclass(frozen=True, kw_only=True)
class Tap(Link):
    """A persistent tap device, for a hypervisor to open. ``owner`` and ``group`` are numeric ids."""

    kind: ClassVar[str] = "tun"

    multi_queue: bool = False
    owner: int | None = None
    group: int | None = None

    @property
    def label(self) -> str:
        return f"tap {self.name}"


@dataclass(frozen=True, kw_only=True)
class Vlan(Link):
    """A VLAN device on ``parent``; needs the kernel's 8021q module.

    Instead of ``parent``, ``parent_pci`` may name the PCI address of the device whose netdev is meant.
    """

    kind: ClassVar[str] = "vlan"

    parent: str | None = None
    parent_pci: str | None = None
    vlan_id: int


@dataclass(frozen=True, kw_only=True)
class Macvtap(Link):
    """A macvtap device on ``parent``; ``mode`` is vepa, bridge, passthru or private.

    Instead of ``parent``, ``parent_pci`` may name the PCI address of the device whose netdev is meant.
    """

    kind: ClassVar[str] = "macvtap"

    parent: str | None = None
    parent_pci: str | None = None
    mode: str = "bridge"


@dataclass(frozen=True, kw_only=True)
class ExistingLink(Link):
    """A device that must be there already, and that stays: only attributes of it are set, and set back.

    One that is not ``required`` may come later, by somebody who gives it the right attributes. With ``leave_down`` it
    is down in the end, whatever it was before.
    """

    kind: ClassVar[str] = ""
    if_foreign: IfForeign = IfForeign.SHARE
    required: bool = True
    leave_down: bool = False


@dataclass(frozen=True, kw_only=True)
class AddressesMoved(Resource):
    """The addresses and routes of ``source`` live on ``target`` instead, as long as the resource lives.

    Stated after the bridge and before what makes the device a port of it: they are to arrive before that.
    """

    realm: ClassVar[str] = "layer3"

    source: str
    target: str

    @property
    def key(self) -> str:
        return f"layer3/{self.source}"

    @property
    def label(self) -> str:
        return f"addresses of {self.source}"


@dataclass(frozen=True, kw_only=True)
class ForwardingRules(Resource):
    """Rules of one chain of our own in the filter table, which FORWARD jumps to.

    ``family`` is "ipv4" or "ipv6"; ``rules`` in iptables' own syntax without the "-A chain". The jump to the chain
    goes to the top of FORWARD, or right below the last rule there that matches the regular expression ``below``.
    """

    realm: ClassVar[str] = "firewall"

    family: str
    chain: str
    rules: tuple[str, ...]
    below: str = ""

    @property
    def bridge(self) -> str:
        """The bridge that the chain is named after."""
        return self.chain.removeprefix("os-vif-")

    @property
    def key(self) -> str:
        return f"firewall/{self.family}/{self.chain}"

    @property
    def label(self) -> str:
        return f"{self.family} chain {self.chain}"


@dataclass(frozen=True)
class HostState:
    """What one VIF needs of the host: resources, in the order in which they are made."""

    resources: tuple[Resource, ...] = ()

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources)

    def __len__(self) -> int:
        return len(self.resources)

    def silent(self) -> HostState:
        """The same with the guest's own devices down, so that nothing passes."""
        return HostState(tuple(_down(resource) for resource in self.resources))


def _down(resource: Resource) -> Resource:
    if isinstance(resource, Tap | Veth | VethPeer | Macvtap) and not resource.shared:
        return dataclasses.replace(resource, up=False)
    return resource


_TYPES: dict[str, type[Resource]] = {}

#: Where the rest of the vocabulary is, imported when a record names it: most processes never meet Open vSwitch.
_VOCABULARY = ("os_vif.host.state_ovs", "os_vif.host.state_vf")


def resource_type(cls: type[Resource]) -> type[Resource]:
    """Makes a type of resource known to the journal; third-party resources call it as a class decorator."""
    _TYPES[cls.__name__] = cls
    return cls


for _cls in (Bridge, Veth, VethPeer, Tap, Vlan, Macvtap, ExistingLink, AddressesMoved, ForwardingRules):
    resource_type(_cls)


def to_primitive(resource: Resource) -> dict[str, Any]:
    """The JSON form of a resource: its type's name, and every attribute that is not at its default."""
    data: dict[str, Any] = {"resource": type(resource).__name__}
    for field in dataclasses.fields(resource):
        value = getattr(resource, field.name)
        if value != _default_of(field):
            data[field.name] = dict(value) if isinstance(value, Mapping) else value
    return data


def from_primitive(data: Mapping[str, Any]) -> Resource:
    """The resource that to_primitive() wrote. Raises HostError for one that is not known here."""
    values = {name: _thaw(value) for name, value in data.items() if name != "resource"}
    try:
        named = _type_named(data["resource"])
        _check_types(named, values)
        return named(**values)
    except (KeyError, TypeError) as error:
        name = data.get("resource", "without a type")
        raise exception.HostError(
            f"The journal tells of a resource {name} that this process does not know ({error}); it takes the plugin,"
            " and the version of os-vif, that it was plugged with."
        ) from error


def _type_named(name: str) -> type[Resource]:
    if name not in _TYPES:
        for module in _VOCABULARY:
            importlib.import_module(module)
    return _TYPES[name]


#: Who can say what is not of a type that is annotated so. Of other types, those of third parties say more.
_NOT_OF_TYPE: dict[str, Callable[[Any], bool]] = {
    "str": lambda value: not isinstance(value, str),
    "bool": lambda value: not isinstance(value, bool),
    "int": lambda value: type(value) is not int,
    "float": lambda value: type(value) not in (int, float),
    "IfForeign": lambda value: value not in set(IfForeign),
    "tuple[str, ...]": lambda value: not isinstance(value, tuple) or any(type(one) is not str for one in value),
    "Mapping[str, str]": lambda value: (
        not isinstance(value, Mapping) or any(type(one) is not str for pair in value.items() for one in pair)
    ),
    "Mapping[str, Any]": lambda value: not isinstance(value, Mapping),
}


def _check_types(cls: Any, values: Mapping[str, Any]) -> None:
    """What was read from a file may be anything. Raises TypeError."""
    wrong_for = _checks_of(cls)
    for name, value in values.items():
        if name in wrong_for and wrong_for[name](value):
            raise TypeError(f"{name} is {value!r}")


@functools.cache
def _checks_of(cls: Any) -> dict[str, Callable[[Any], bool]]:
    checks = {}
    for field in dataclasses.fields(cls):
        wanted, _, alternative = str(field.type).partition(" | ")
        wrong = _NOT_OF_TYPE.get(wanted)
        if wrong is not None and alternative in ("", "None"):
            checks[field.name] = _unless_none(wrong) if alternative else wrong
    return checks


def _unless_none(wrong: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is not None and wrong(value)


def _default_of(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _thaw(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
