# SPDX-License-Identifier: Apache-2.0
"""Which shared resources belong to one bridge: they are used together, and go together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from os_vif.host.contract.plan import Holding
from os_vif.host.state import AddressesMoved, Bridge, ForwardingRules, Link, Resource, Vlan


def groups(holdings: Iterable[Holding]) -> list[list[Holding]]:
    """Holdings by the bridge that they belong to, each group in the order in which it was made."""
    found: list[tuple[set[str], list[Holding]]] = []
    for holding in sorted(holdings, key=_order):
        names, members = _devices_of(holding.resource), [holding]
        apart = []
        for other_names, others in found:
            if names & other_names:
                names, members = names | other_names, [*others, *members]
            else:
                apart.append((other_names, others))
        found = [*apart, (names, members)]
    return [members for _, members in found]


def _order(holding: Holding) -> int:
    kinds: Sequence[type[Resource]] = (Bridge, AddressesMoved, Link, ForwardingRules)
    return next((number for number, kind in enumerate(kinds) if isinstance(holding.resource, kind)), len(kinds))


def _devices_of(resource: Resource) -> set[str]:
    """The devices that it is about."""
    if isinstance(resource, ForwardingRules):
        return {resource.bridge}
    if isinstance(resource, AddressesMoved):
        return {resource.source, resource.target}
    if isinstance(resource, Link):
        below = {resource.parent} if isinstance(resource, Vlan) and resource.parent else set()
        return {resource.name, *below, *([resource.master] if resource.master else [])}
    return {resource.key}
