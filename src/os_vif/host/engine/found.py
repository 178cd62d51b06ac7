# SPDX-License-Identifier: Apache-2.0
"""What a VIF holds, told from the host alone: the devices and ports that name it, and the bridge they lead to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence

from os_vif.host import state
from os_vif.host.access import privileged
from os_vif.host.access.host import HostAccess
from os_vif.host.contract.backend import Marked
from os_vif.host.contract.plan import Holding
from os_vif.host.journal import marks
from os_vif.host.journal.journal import PLUGGED, Record, Scope
from os_vif.host.state import AddressesMoved, Bridge, ForwardingRules, Link

_CHAIN = "os-vif-{}"


def holdings(host: HostAccess, own: Sequence[Holding]) -> list[Holding]:
    """What bears the mark of a VIF, after the shared bridge that it is in, and before the forwarding rules of that."""
    bridges = list(dict.fromkeys(name for one in own for name in _shared_bridge(host, one)))
    return [
        *(Holding(Bridge(name=name, shared=True), made=True) for name in bridges),
        *own,
        *(rules for name in bridges for rules in _rules(host, name)),
    ]


def record(scope: Scope, vif_id: str, held: Sequence[Holding]) -> Record:
    """A record of a VIF of which nothing is known but what it holds: enough to unplug it and to keep it."""
    return Record(
        vif_id=vif_id,
        plugin="",
        context=privileged.DEFAULT_CONTEXT,
        status=PLUGGED,
        generation=1,
        request="{}",
        desired=json.dumps([state.to_primitive(one.resource) for one in held]),
        steps="[]",
        changed=time.time(),
        scope=scope,
    )


def completed(one: Record, held: Sequence[Holding], marked: Sequence[Marked]) -> list[Holding]:
    """What a VIF holds by its record, in the order in which it is made: also what of it was lost from the journal.

    Of that, what bears our mark was made by us, and what can bear none.
    """
    known = {holding.resource.key: holding for holding in held}
    ours = {mark.resource.key for mark in marked if mark.vif_id in ("", one.vif_id)}
    stated = [state.from_primitive(data) for data in json.loads(one.desired)]
    made_if_there = (ForwardingRules, AddressesMoved)
    presumed = [Holding(one, made=one.key in ours or isinstance(one, made_if_there)) for one in stated]
    keys = {holding.resource.key for holding in presumed}
    more = (holding for key, holding in known.items() if key not in keys)
    return [*(known.get(holding.resource.key, holding) for holding in presumed), *more]


def missing(host: HostAccess, held: Sequence[Holding]) -> list[str]:
    """The devices of these that we made and that are not there, in words."""
    devices = [one.resource for one in held if one.made and isinstance(one.resource, Link)]
    return [link.label for link in devices if host.get_link(link.name) is None]


def is_complete(one: Record) -> bool:
    """Whether a record tells what was asked for; those that record() makes do not."""
    return bool(one.plugin)


def _shared_bridge(host: HostAccess, one: Holding) -> Iterator[str]:
    link = host.get_link(one.resource.name) if isinstance(one.resource, Link) else None
    bridge = host.get_link_by_index(link.master) if link and link.master else None
    if bridge and bridge.kind == "bridge" and marks.is_marked(bridge) and not marks.owner_of(bridge):
        yield bridge.name


def _rules(host: HostAccess, bridge: str) -> Iterator[Holding]:
    for family in ("ipv4", "ipv6"):
        chain = _CHAIN.format(bridge)
        try:
            found = host.read_chain(family, chain, privileged.DEFAULT_CONTEXT)
        except OSError:
            continue  # there is no such firewall here, and so no chain
        if found is not None:
            yield Holding(ForwardingRules(family=family, chain=chain, rules=found.rules, shared=True), made=True)
