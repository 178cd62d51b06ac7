# SPDX-License-Identifier: Apache-2.0
"""What goes with a VIF, or is not stated for it any more, and who else needs of it what is shared."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

from os_vif.host.contract.backend import Purpose
from os_vif.host.contract.plan import Holding
from os_vif.host.engine.planner import Leaving
from os_vif.host.engine.request import Request
from os_vif.host.journal.journal import Journal, Scope

#: What is held for each VIF, by its id.
Held = Mapping[str, Sequence[Holding]]


class Departures:
    """As the journal knows them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def of(self, scope: Scope, requests: Sequence[Request], held: Held) -> list[Leaving]:
        """All that is held for VIFs that leave together. What several of them share goes with the last of these.

        The record decides what that is, and only without one the request's own state; what an earlier release has left
        goes in any case.
        """
        together = {request.vif_id for request in requests}
        users = functools.cache(functools.partial(self._journal.users, scope))
        leaving = []
        for request in requests:
            holdings = self._holdings(scope, request, held)
            purpose = Purpose(request.vif_id, request.context)
            leaving.append(Leaving(purpose, holdings, _needed(holdings, users, together)))
        return _last_user_removes(leaving)

    def obsolete(self, scope: Scope, requests: Sequence[Request], held: Held) -> list[Leaving]:
        """What is held for VIFs and not stated for them any more."""
        leaving = []
        for request in requests:
            stated = {resource.key for resource in request.desired}
            old = tuple(h for h in held.get(request.vif_id, ()) if h.resource.key not in stated)
            if old:
                others = _needed(old, functools.partial(self._journal.users, scope), {request.vif_id})
                leaving.append(Leaving(Purpose(request.vif_id, request.context), old, others))
        return leaving

    def _holdings(self, scope: Scope, request: Request, held: Held) -> tuple[Holding, ...]:
        holdings = tuple(held[request.vif_id])
        if not holdings and self._journal.record(scope, request.vif_id) is None:
            holdings = tuple(self._presumed(scope, request))
        else:
            holdings += tuple(self._unreadable(scope, request, holdings))
        known = {holding.resource.key for holding in holdings}
        return holdings + tuple(
            Holding(resource, made=True) for resource in request.leftover if resource.key not in known
        )

    def _unreadable(self, scope: Scope, request: Request, readable: Sequence[Holding]) -> Iterator[Holding]:
        """What the VIF uses and the journal cannot tell of any more, as far as the request states it."""
        unknown = set(self._journal.keys(scope, request.vif_id)) - {one.resource.key for one in readable}
        yield from (Holding(resource, made=True) for resource in request.desired if resource.key in unknown)

    def _presumed(self, scope: Scope, request: Request) -> Iterator[Holding]:
        """Without a record: what the VIF would have; the backends go by the marks on it."""
        for resource in request.desired:
            known = self._journal.holding(scope, resource.key) if resource.shared else None
            yield known or Holding(resource, made=True)


def _needed(holdings: Sequence[Holding], users: Callable[[str], set[str]], leaving: set[str]) -> frozenset[str]:
    shared = (holding.resource.key for holding in holdings if holding.resource.shared)
    return frozenset(key for key in shared if users(key) - leaving)


def _last_user_removes(leaving: Sequence[Leaving]) -> list[Leaving]:
    later: set[str] = set()
    result = []
    for one in reversed(leaving):
        keys = frozenset(holding.resource.key for holding in one.holdings if holding.resource.shared)
        result.append(Leaving(one.purpose, one.holdings, one.needed_by_others | (keys & later)))
        later |= keys
    return result[::-1]
