# SPDX-License-Identifier: Apache-2.0
"""What several VIFs state differently of one shared device: settled, the same whoever is plugged last.

An interface that leads out of a bridge must let pass what each VIF may send: of MTUs the largest counts. That of the
bridge itself is for what the host sends, not for what passes between its ports: it is left to the kernel, which makes
it that of the smallest port. Each VIF's record keeps what it has stated itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeGuard

from os_vif import exception
from os_vif.host import state
from os_vif.host.state import Bridge, HostState, Link, Resource

if TYPE_CHECKING:
    from os_vif.host.contract.plan import Holding
    from os_vif.host.engine.request import Request
    from os_vif.host.journal.journal import Journal, Scope


def settled(
    journal: Journal, scope: Scope, requests: Sequence[Request], around: Mapping[str, Sequence[Holding]]
) -> list[Request]:
    """The requests, with the MTUs of shared devices as all that use these need them. Raises JournalError.

    ``around``: what is held of these devices. Others' records are read only where that is not what is stated.
    """
    held = {h.resource.key: h.resource for holdings in around.values() for h in holdings}
    stated = [r for request in requests for r in request.desired if _has_mtu(r)]
    disputed = {r.key for r in stated if r.mtu != _mtu_of(held.get(r.key, r))}
    disputed |= {r.key for r in stated for other in stated if r.key == other.key and r.mtu != other.mtu}
    if not disputed:
        return list(requests)
    ours = {request.vif_id for request in requests}
    needed = {key: [*_stated_by_others(journal, scope, key, ours), *_of(stated, key)] for key in disputed}
    return [_with_mtus(request, needed) for request in requests]


def _has_mtu(resource: Resource) -> TypeGuard[Link]:
    return isinstance(resource, Link) and resource.shared and resource.mtu is not None


def _mtu_of(resource: Resource) -> int | None:
    return resource.mtu if isinstance(resource, Link) else None


def _of(resources: Sequence[Resource], key: str) -> Iterator[int]:
    return (mtu for resource in resources if resource.key == key and (mtu := _mtu_of(resource)) is not None)


def _stated_by_others(journal: Journal, scope: Scope, key: str, ours: set[str]) -> Iterator[int]:
    for vif_id in journal.users(scope, key) - ours:
        record = journal.record(scope, vif_id)
        for data in json.loads(record.desired) if record else ():
            with contextlib.suppress(exception.HostError):  # of a plugin that is no longer installed
                yield from _of([state.from_primitive(data)], key)


def _with_mtus(request: Request, mtus: Mapping[str, Sequence[int]]) -> Request:
    resources = (_with_mtu(r, mtus[r.key]) if r.key in mtus and _has_mtu(r) else r for r in request.desired)
    return dataclasses.replace(request, desired=HostState(tuple(resources)))


def _with_mtu(link: Link, mtus: Sequence[int]) -> Link:
    agreed = max(mtus)
    return dataclasses.replace(link, mtu=None if isinstance(link, Bridge) and min(mtus) < agreed else agreed)
