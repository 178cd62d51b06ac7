# SPDX-License-Identifier: Apache-2.0
"""The backend of addresses: moving a host's addresses and routes from a device to the bridge above it, and back.

Nothing is taken from where it works before it has arrived. What moves is there twice for a moment: the addresses are
added to the bridge, then the device becomes a port of it (links.py), then the routes follow, and only then all is
taken from the device. The way back is the same way round, and a step that fails keeps what has not arrived where it is.

What is on the bridge counts, not what was there when it was made: others give addresses to the bridge, and take them.
The record of what has moved serves for one case only: the host is left with no address of a family at all.
"""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from os_vif.host.access.host import HostAccess
from os_vif.host.backends import address_settings as settings
from os_vif.host.backends import bridges, uplinks
from os_vif.host.contract.backend import Marked, Purpose
from os_vif.host.contract.operations import Operation
from os_vif.host.contract.plan import Confirmation, Holding, Outcome, Step
from os_vif.host.journal import marks
from os_vif.host.kernel import addresses as ip
from os_vif.host.kernel.addresses import Item
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import AddressesMoved, Link, Resource

_FAMILIES = (socket.AF_INET, socket.AF_INET6)

#: A gateway that is there answers within milliseconds; one that is to answer gets the time to try again.
_SECONDS_BEFORE, _SECONDS_AFTER = 0.5, 8.0

#: Of routes from router advertisements, if nobody chose another (the kernel's IP6_RT_PRIO_USER).
_ADVERTISED_METRIC = 1024


@dataclass(frozen=True)
class _Side:
    """A device, and what of the host is on it; the device is None where there is none."""

    link: LinkInfo | None = None
    addresses: list[Item] = field(default_factory=list)
    routes: list[Item] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.link.name if self.link else ""

    def has(self, family: int) -> bool:
        """Whether the host has addresses of the family here, or routes; those that any device has do not count."""
        own = (a for a in self.addresses if not ip.is_link_local(a))
        return any(ip.family_of(item) == family for item in (*own, *self.routes))

    @property
    def items(self) -> list[Item]:
        """All of it."""
        return [*self.addresses, *self.routes]

    def only(self, families: Sequence[int]) -> _Side:
        """What it has of these families."""
        addresses, routes = (
            [i for i in items if ip.family_of(i) in families] for items in (self.addresses, self.routes)
        )
        return _Side(self.link, addresses, routes)


class AddressBackend:
    """Addresses and routes of this network namespace."""

    name = "addresses"

    def __init__(self, host: HostAccess, home: str = "") -> None:
        """``home`` is our own journal (identity.py)."""
        self._host = host
        self._home = marks.short(home)

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> dict[str, _Side]:
        """What is on each device concerned."""
        names = {name for r in resources if isinstance(r, AddressesMoved) for name in (r.source, r.target)}
        return {name: self._side(self._host.get_link(name)) for name in names}

    def _side(self, link: LinkInfo | None) -> _Side:
        if link is None:
            return _Side()
        return _Side(link, self._host.addresses_of(link.index), self._host.routes_via(link.index))

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """Does operations in order. Raises OperationFailed."""
        self._host.run(operations, context)

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        """Raises UplinkUnsuitable for what must not, or cannot, move."""
        assert isinstance(resource, AddressesMoved)
        source, target = actual[resource.source], actual[resource.target]
        known = purpose.held.get(resource.key)
        prior = dict(known.prior) if known else {}
        going = source.only([family for family in _FAMILIES if source.has(family)])
        if source.link is not None:
            prior["index"] = source.link.index
            if source.link.master in (0, target.link.index if target.link else 0):  # else see links.py
                uplinks.check(self._host, source.link, target.link, resource.target, going.items, purpose.vif_id)
        arriving = self._aside(_joined(going, _lost(prior, source, target)), resource.source)
        early = [*self._settings(resource, arriving, target), *_additions(arriving, target, resource, "address")]
        late = [
            *_additions(arriving, target, resource, "route"),
            *(_change("route", "delete", resource.source, item) for item in reversed(going.routes)),
            *(_change("address", "delete", resource.source, item) for item in reversed(going.addresses)),
        ]
        if going.has(socket.AF_INET6):
            prior["ipv6"] = True
        if prior.get("ipv6") and self._has_ipv6_on(resource.source):
            late.append(_sysctl(resource.source, settings.DISABLE_IPV6, "0", "1"))
        prior |= _record(prior, target, arriving)
        confirmations = tuple(_confirmations(resource, going))
        return Outcome(Holding(resource, made=True, prior=prior), tuple(early), tuple(late), confirmations)

    def _settings(self, resource: AddressesMoved, arriving: _Side, target: _Side) -> Iterator[Step]:
        """Those of a bridge of somebody else's are his affair; his IPv6 must be on for ours to go there."""
        if target.link is not None and not marks.is_marked(target.link):
            return
        arrives = {name: arriving.has(family) for name, family in zip(("ipv4", "ipv6"), _FAMILIES, strict=True)}
        has = {name: target.has(family) for name, family in zip(("ipv4", "ipv6"), _FAMILIES, strict=True)}
        changes = dict[str, tuple[str, str]]()
        if target.link is not None:
            there = {name: arrives[name] or has[name] for name in has}
            for key, old, new in settings.to_stand(self._host, resource.source, resource.target, **there):
                changes[key] = (old, new)
        carry = settings.to_carry(self._host, resource.source, resource.target, **arrives)
        if any(arrives.values()):
            changes |= {key: (old, new) for key, old, new in carry}
        last = changes.pop(settings.DISABLE_IPV6, None)
        for key, (old, new) in changes.items():
            yield _sysctl(resource.target, key, old, new, like=resource.source)
        if last:
            yield _sysctl(resource.target, settings.DISABLE_IPV6, *last)

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        """What is on a bridge of ours moves back; of what is on somebody else's, that which was moved there.

        Where the device is gone for good there is nowhere to go to, and nothing is done.
        """
        resource = holding.resource
        assert isinstance(resource, AddressesMoved)
        source, target = self._source(holding, actual[resource.source]), actual[resource.target]
        if source.link is None:
            return ()
        back = _joined(_going_back(holding.prior, target), _lost(holding.prior, source, target))
        taken = _Side(target.link, _shared(back.addresses, target.addresses), _shared(back.routes, target.routes))
        own = [ip.without_own_label(address, resource.target) for address in back.addresses]
        back = self._aside(_Side(target.link, own, back.routes), resource.target)
        guards = (source.name, resource.target)
        steps = [
            *self._ipv6_back(holding, source, back),
            *(_change("address", "add", source.name, item) for item in _missing(back.addresses, source.addresses)),
        ]
        if source.link.up:
            missing = _missing(back.routes, source.routes)
            steps += [_change("route", "add", source.name, item) for item in missing]
        vital = self._reaches_gateway(target, back)
        early = [dataclasses.replace(step, early=True, guards=guards, vital=vital) for step in steps]
        return [
            *early,
            *(_change("route", "delete", resource.target, item) for item in reversed(taken.routes)),
            *(_change("address", "delete", resource.target, item) for item in reversed(taken.addresses)),
        ]

    def _aside(self, side: _Side, device: str) -> _Side:
        """With the routes that the kernel made of router advertisements next in rank to those that it makes anew.

        It passes over an advertisement whose route is there already, and is not its own (ndisc_router_discovery).
        """
        own = int(self._host.read_sysctl(device, "ipv6", "ra_defrtr_metric") or _ADVERTISED_METRIC)
        ranks = {True: own + 1, False: _ADVERTISED_METRIC + 1}
        routes = [ip.with_metric(r, ranks[r["shown"] == "default"]) if ip.is_advertised(r) else r for r in side.routes]
        return _Side(side.link, side.addresses, _without_repetition(routes))

    def _ipv6_back(self, holding: Holding, source: _Side, back: _Side) -> Iterator[Step]:
        wanted = holding.prior.get("ipv6") or back.has(socket.AF_INET6)
        if wanted and not self._has_ipv6_on(source.name):
            yield _sysctl(source.name, settings.DISABLE_IPV6, "1", "0")

    def _has_ipv6_on(self, device: str) -> bool:
        return self._host.read_sysctl(device, *settings.DISABLE_IPV6.split("/")) == "0"

    def _reaches_gateway(self, target: _Side, back: _Side) -> bool:
        gateways = [
            gateway for route in back.routes if route["shown"] == "default" for gateway in ip.gateways_of(route)
        ]
        return target.link is not None and any(self._host.knows_neighbour(target.link.index, one) for one in gateways)

    def _source(self, holding: Holding, found: _Side) -> _Side:
        """The device by its name or, where it was renamed, by its index."""
        index = holding.prior.get("index")
        return self._side(self._host.get_link_by_index(index)) if found.link is None and index else found

    def in_use(self, holding: Holding, actual: Any, leaving: Sequence[Holding]) -> str:
        """Addresses go back with the device that they came from, not before it has left the bridge; nor while VIFs of
        another journal are there, which lead out by that device."""
        resource = holding.resource
        assert isinstance(resource, AddressesMoved)
        if elsewhere := bridges.needed_elsewhere(self._host, resource.target, self._home, leaving):
            return elsewhere
        source, target = self._source(holding, actual[resource.source]), actual[resource.target]
        together = any(isinstance(h.resource, Link) and h.resource.name == resource.source for h in leaving)
        if source.link is None or target.link is None or together or source.link.master != target.link.index:
            return ""
        return f"{source.name} is a port of {resource.target}"

    def marked(self) -> Sequence[Marked]:
        """None: addresses bear no marks."""
        return ()


def _lost(prior: Any, source: _Side, target: _Side) -> _Side:
    """What has moved, of families of which the host has no address left on either device.

    And the routes that the kernel has dropped because the bridge is down, if the addresses are still those.
    """
    recorded = _Side(None, list(prior.get("addresses", ())), list(prior.get("routes", ())))
    left = [*source.addresses, *target.addresses]
    gone = [f for f in _FAMILIES if recorded.has(f) and not any(ip.family_of(address) == f for address in left)]
    lost = recorded.only(gone)
    if target.link is None or target.link.up:
        return lost
    kept = [f for f in _FAMILIES if f not in gone and not _missing(recorded.only([f]).addresses, target.addresses)]
    return _Side(None, lost.addresses, [*lost.routes, *recorded.only(kept).routes])


def _record(prior: Any, target: _Side, arriving: _Side) -> dict[str, list[Item]]:
    """What lasts of what will be on the bridge; of a bridge of somebody else's, of what has moved there."""
    there = target
    if target.link is not None and not marks.is_marked(target.link):
        there = _going_back(prior, target)
    whole = _joined(there, arriving)
    addresses = [a for a in whole.addresses if ip.seconds_left(a) is None]
    return {"addresses": addresses, "routes": [r for r in whole.routes if ip.without_expiry(r) == r]}


def _going_back(prior: Any, target: _Side) -> _Side:
    if target.link is not None and marks.is_marked(target.link):
        return target.only([family for family in _FAMILIES if target.has(family)])
    addresses, routes = prior.get("addresses", ()), prior.get("routes", ())
    return _Side(target.link, _shared(addresses, target.addresses), _shared(routes, target.routes))


def _additions(arriving: _Side, target: _Side, resource: AddressesMoved, what: str) -> Iterator[Step]:
    if what == "route":
        items = _missing(arriving.routes, target.routes)
    else:
        fitting = [ip.without_own_label(item, resource.source) for item in arriving.addresses]
        items = _missing(fitting, target.addresses)
    return (_change(what, "add", resource.target, item) for item in items)


def _confirmations(resource: AddressesMoved, going: _Side) -> Iterator[Confirmation]:
    """The gateways of the default routes that move answer on the bridge, if they did on the device."""
    found = [gateway for route in going.routes if route["shown"] == "default" for gateway in ip.gateways_of(route)]
    for gateway in dict.fromkeys(found):
        before, after = (
            Operation("neighbour.probe", {"name": device, "address": gateway, "seconds": seconds})
            for device, seconds in ((resource.source, _SECONDS_BEFORE), (resource.target, _SECONDS_AFTER))
        )
        text = f"gateway {gateway} answered on {resource.source}, and does not on bridge {resource.target}"
        yield Confirmation(resource.target, text, before, after)


def _change(what: str, action: str, device: str, item: Item) -> Step:
    inverse = "delete" if action == "add" else "add"
    preposition = "to" if action == "add" else "from"
    text = f"{action} {what} {item['shown']} {preposition} {device}"
    operation, undo = (Operation(f"{what}.{verb}", {"name": device, what: item}) for verb in (action, inverse))
    return Step("addresses", device, text, operation, undo)


def _sysctl(device: str, key: str, old: str, new: str, like: str = "") -> Step:
    """``like``: the device that the value is from."""
    family, _, name = key.partition("/")
    arguments = {"name": device, "family": family, "key": name} | ({"like": like} if like else {})
    to, back = (Operation("sysctl.set", {**arguments, "value": value}) for value in (new, old))
    return Step("addresses", device, f"set sysctl {key} of {device} to {new} (was {old})", to, back)


def _identity(item: Item) -> tuple[Any, ...]:
    """What makes two descriptions the same address or route: all but labels and lifetimes, which belong to a device."""
    if "gateway" not in item:
        return (ip.family_of(item), item["shown"])
    hops = [(hop[2], tuple(ip.gateways_of({**item, "hops": [hop], "attributes": []}))) for hop in item.get("hops", ())]
    return (*ip.place_of(item), tuple(ip.gateways_of({**item, "hops": []})), tuple(hops))


def _joined(first: _Side, second: _Side) -> _Side:
    addresses = [*first.addresses, *_missing(second.addresses, first.addresses)]
    return _Side(first.link, addresses, [*first.routes, *_missing(second.routes, first.routes)])


def _missing(items: Sequence[Item], among: Sequence[Item]) -> list[Item]:
    present = {_identity(item) for item in among}
    return [item for item in items if _identity(item) not in present]


def _without_repetition(items: Sequence[Item]) -> list[Item]:
    return list({_identity(item): item for item in items}.values())


def _shared(items: Sequence[Item], among: Sequence[Item]) -> list[Item]:
    """Those of ``among`` that are one of ``items``."""
    present = {_identity(item) for item in items}
    return [item for item in among if _identity(item) in present]
