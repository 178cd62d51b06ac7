# SPDX-License-Identifier: Apache-2.0
"""The realm of addresses: moving a host's IPv4 addresses and routes from a device to the bridge above it, and back.

IPv6 addresses stay where they are: bridges of ours have IPv6 off, as they must (see state.NO_HOST_IP).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from os_vif.host.access import HostAccess
from os_vif.host.operations import Operation
from os_vif.host.plan import Holding, Outcome, Step
from os_vif.host.realm import Marked, Purpose
from os_vif.host.rtnetlink_ip import without_label
from os_vif.host.state import AddressesMoved, Resource

#: An address or a route, as rtnetlink_ip describes it.
Item = dict[str, Any]


@dataclass(frozen=True)
class _Side:
    addresses: list[Item]
    routes: list[Item]


class Layer3Realm:
    """Addresses and routes of this network namespace."""

    name = "layer3"

    def __init__(self, host: HostAccess) -> None:
        self._host = host

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> dict[str, _Side]:
        """What is on each device concerned."""
        names = {name for r in resources if isinstance(r, AddressesMoved) for name in (r.source, r.target)}
        return {name: self._side(name) for name in names}

    def _side(self, name: str) -> _Side:
        link = self._host.get_link(name)
        if link is None:
            return _Side([], [])
        return _Side(self._host.addresses_of(link.index), self._host.routes_via(link.index))

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """Does operations in order. Raises OperationFailed."""
        self._host.run(operations, context)

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        """Routes leave first and arrive last, because they need the addresses.

        Secondary addresses leave before the primary one: the kernel would take them along with it.
        """
        assert isinstance(resource, AddressesMoved)
        source, target = actual[resource.source], actual[resource.target]
        known = purpose.held.get(resource.key)
        prior = known.prior if known else {}
        addresses = _union(prior.get("addresses", []), source.addresses)
        routes = _union(prior.get("routes", []), source.routes)
        steps = [
            *(_move("route", "delete", resource.source, item) for item in reversed(source.routes)),
            *(_move("address", "delete", resource.source, item) for item in reversed(source.addresses)),
            *(
                _move("address", "add", resource.target, without_label(a))
                for a in _missing(addresses, target.addresses)
            ),
            *(_move("route", "add", resource.target, item) for item in _missing(routes, target.routes)),
        ]
        holding = Holding(resource, made=True, prior={"addresses": addresses, "routes": routes})
        return Outcome(holding, tuple(steps))

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        """Moves back what was moved; what is nowhere any more (a crash in the middle) is put back as well."""
        resource = holding.resource
        assert isinstance(resource, AddressesMoved)
        source, target = actual[resource.source], actual[resource.target]
        addresses, routes = holding.prior.get("addresses", []), holding.prior.get("routes", [])
        return [
            *(_move("route", "delete", resource.target, item) for item in reversed(_shared(routes, target.routes))),
            *(
                _move("address", "delete", resource.target, item)
                for item in reversed(_shared(addresses, target.addresses))
            ),
            *(_move("address", "add", resource.source, item) for item in _missing(addresses, source.addresses)),
            *(_move("route", "add", resource.source, item) for item in _missing(routes, source.routes)),
        ]

    def in_use(self, holding: Holding, actual: Any, leaving: Sequence[Holding]) -> str:
        """Never: whether the addresses may go back depends on the bridge alone."""
        return ""

    def strays(self) -> Sequence[Marked]:
        """None: addresses bear no marks."""
        return ()


def _move(what: str, action: str, device: str, item: Item) -> Step:
    inverse = "delete" if action == "add" else "add"
    preposition = "to" if action == "add" else "from"
    text = f"{action} {what} {item['shown']} {preposition} {device}"
    operation, undo = (Operation(f"{what}.{verb}", {"name": device, what: item}) for verb in (action, inverse))
    return Step("layer3", device, text, operation, undo)


def _identity(item: Item) -> tuple[Any, ...]:
    """What makes two descriptions the same address or route: all but labels and lifetimes, which belong to a device."""
    if "gateway" in item:
        return (item["shown"], tuple(item["header"]), tuple(sorted(map(tuple, item["attributes"]))))
    return (item["shown"],)


def _union(first: Sequence[Item], second: Sequence[Item]) -> list[Item]:
    return [*first, *_missing(second, first)]


def _missing(items: Sequence[Item], among: Sequence[Item]) -> list[Item]:
    present = {_identity(item) for item in among}
    return [item for item in items if _identity(item) not in present]


def _shared(items: Sequence[Item], among: Sequence[Item]) -> list[Item]:
    present = {_identity(item) for item in items}
    return list(_matching(present, among))


def _matching(present: set[tuple[Any, ...]], among: Sequence[Item]) -> Iterator[Item]:
    return (item for item in among if _identity(item) in present)
