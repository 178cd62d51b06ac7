# SPDX-License-Identifier: Apache-2.0
"""What a backend is: one part of a host's network state that the engine can read, converge and take back.

The backends of a host are its links, its addresses and its firewall; Open vSwitch is one more. The engine knows
none of them by name: a resource says which backend it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from os_vif.host.contract.operations import Operation
from os_vif.host.contract.plan import Holding, Outcome, Step
from os_vif.host.state import Resource


@dataclass(frozen=True)
class Purpose:
    """On whose behalf something is planned. ``context`` names the privileged helper to use."""

    vif_id: str
    context: str
    #: What the journal knows of the resources of this VIF, by key.
    held: Mapping[str, Holding] = field(default_factory=dict)


class OfTheHost(str):
    """A reason why something stays that concerns the host's own network, and that somebody should hear of."""

    __slots__ = ()


@dataclass(frozen=True)
class Marked:
    """What bears our mark. ``vif_id`` is the VIF it was made for; "" where it is shared, or that is not (yet) told.

    ``elsewhere``: another journal answers for it, and so for all that is there for its VIF. ``ours``: the mark names
    our journal. ``in_use``: why it is in use, whatever any record says; "" where nobody seems to need it. ``port_of``:
    the name of the bridge that it is a port of.
    """

    vif_id: str
    resource: Resource
    elsewhere: bool = False
    ours: bool = False
    in_use: str = ""
    port_of: str = ""


class Backend(Protocol):
    """One part of the host. ``actual`` is whatever the backend's own read() returned."""

    name: str

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> Any:
        """The present state of what these resources concern. Changes nothing."""

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        """What it takes for the resource to be as stated. Raises a HostError where that must not be done."""

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        """What it takes for the resource to be gone, or back to what was there before."""

    def in_use(self, holding: Holding, actual: Any, leaving: Sequence[Holding]) -> str:
        """Why a shared resource must stay although no VIF of ours needs it any more; "" when it need not.

        ``leaving`` are the resources that would go at the same time.
        """

    # A backend may also have leave(holding, actual) -> (reason, steps): the reason, where a shared resource is needed
    # by VIFs of another journal, and the steps that say on the host that ours needs it no more.

    # One may have renames(holdings, purpose) -> steps: what gives devices that somebody renamed their names back; it
    # raises a HostError where that must not be done. is_there(holding, actual, purpose) says whether anything is left,
    # degradations(resources, guest) what cuts the guest off, see diagnosis.py.

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """Does operations in order. Raises OperationFailed."""

    def marked(self) -> Sequence[Marked]:
        """What bears our mark, for garbage collection; the resources as found."""
