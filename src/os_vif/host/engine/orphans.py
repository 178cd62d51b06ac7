# SPDX-License-Identifier: Apache-2.0
"""What bears our mark and no record tells of: why each of it stays, or that it may go.

That no record tells of a thing is no proof that nobody needs it: the journal may have been lost, replaced, or not
mounted yet. So what is in use stays, and what anybody claims; the rest goes when it is asked for expressly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from os_vif.host.contract.backend import Marked
from os_vif.host.contract.plan import Holding
from os_vif.host.state import Bridge, Link
from os_vif.host.state.ovs import OvsResource

UNASKED = "only --orphans removes what no record tells of"


@dataclass(frozen=True)
class Claims:
    """What others than the journal say is needed here: VIFs by their ids, devices by their names, each with the reason.

    ``problem``: what could not be asked; then nobody knows what else there is.
    """

    vifs: dict[str, str] = dataclasses.field(default_factory=dict)
    devices: dict[str, str] = dataclasses.field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class Orphan:
    """``stays`` says why it does; "" where it may go, with others ``together`` if these are not empty."""

    marked: Marked
    stays: str = ""
    together: tuple[Holding, ...] = ()

    @property
    def holding(self) -> Holding:
        """As what is made by us."""
        return Holding(self.marked.resource, made=True)


def judged(
    unknown: Sequence[Marked],
    claims: Claims,
    keep: Collection[str],
    recorded: Collection[str],
    reason_to_stay: Callable[[Sequence[Holding], Sequence[Holding]], str],
) -> Iterator[Orphan]:
    """All of them, in the order in which they may go: ports of a switch before their devices.

    ``keep`` are VIFs that shall stay, ``recorded`` those that records tell of. ``reason_to_stay`` tells why shared
    holdings, the first, cannot go together, once the second have gone.
    """
    used = {one.vif_id: one.in_use for one in unknown if one.vif_id and one.in_use}
    told_of = {*recorded, *(one.vif_id for one in unknown)}
    shared_are_kept = any(vif_id not in told_of for vif_id in keep)
    rest: list[Orphan] = []
    for one in unknown:
        stays = _in_use(one, used) or _claimed(one, claims) or _kept(one, keep, shared_are_kept=shared_are_kept)
        if stays:
            yield Orphan(one, stays)
        else:
            rest.append(Orphan(one))
    going, staying = _that_can_go(rest, reason_to_stay)
    yield from sorted(going, key=lambda one: not isinstance(one.marked.resource, OvsResource))
    yield from staying


def _in_use(one: Marked, used: dict[str, str]) -> str:
    if one.in_use:
        return f"it is in use: {one.in_use}"
    return f"its VIF is in use: {used[one.vif_id]}" if one.vif_id in used else ""


def _claimed(one: Marked, claims: Claims) -> str:
    name = getattr(one.resource, "name", "")
    return claims.vifs.get(one.vif_id, "") or claims.devices.get(name, "") or claims.problem


def _kept(one: Marked, keep: Collection[str], *, shared_are_kept: bool) -> str:
    if one.vif_id in keep:
        return "its VIF is to be kept"
    return "a VIF to be kept, of which nothing here tells, may need it" if shared_are_kept and not one.vif_id else ""


def _that_can_go(
    rest: list[Orphan], reason_to_stay: Callable[[Sequence[Holding], Sequence[Holding]], str]
) -> tuple[list[Orphan], list[Orphan]]:
    """What only orphans are ports of, or on top of, goes after these."""
    going: list[Orphan] = []
    while True:
        before = [one.holding for one in going]
        now: list[Orphan] = []
        later: list[Orphan] = []
        for one in rest:
            together = [other.holding for other in _together(one, rest)]
            reason = reason_to_stay([one.holding, *together], before)
            judged = dataclasses.replace(one, stays=reason, together=tuple(together))
            (later if reason else now).append(judged)
        going += now
        if not now:
            return going, later
        rest = [dataclasses.replace(one, stays="", together=()) for one in later]


def _together(one: Orphan, among: Sequence[Orphan]) -> list[Orphan]:
    """A bridge goes with those of its ports that are shared as it is, such as VLAN devices; these are the others."""
    resource = one.marked.resource
    bridge = one.marked.port_of or (resource.name if isinstance(resource, Bridge) else "")
    if not bridge or not resource.shared:
        return []
    return [other for other in among if other is not one and _belongs_to(bridge, other.marked)]


def _belongs_to(bridge: str, one: Marked) -> bool:
    resource = one.resource
    return isinstance(resource, Link) and resource.shared and bridge in (resource.name, one.port_of)
