# SPDX-License-Identifier: Apache-2.0
"""What a backend is: one part of a host's network state that the engine can read, converge and take back.

The backends of a host are its links, its addresses and its firewall; Open vSwitch is one more, and packages of others
bring theirs. The engine knows none of them by name: a resource says which backend it belongs to.
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
    """One part of the host. ``actual`` is whatever the backend's own read() returned.

    Needed are read(), converge(), remove() and run(). Their rules:

    - read() is called once for all resources of a plan; it, converge() and remove() change nothing.
    - converge() returns no steps where all is as stated: after the steps are done it is asked again, and what it still
      wants then is an error.
    - Whatever a process that is killed between two steps has left, converge() completes and remove() takes away.
    - An undo does no harm where its step was not done. A step of which no undo is told is undone by that of another.
    - run() may be asked for what is done already, and does no harm then: the next one after a failure tries all again.
      It raises NotPermitted before it has done anything, or not at all.
    - run() is called by threads, and in the network namespace of the host concerned, of the calling thread.
    - A backend changes what bears its mark, or nothing: what somebody else made raises ForeignDevice in converge(), and
      stays in remove().

    ``atomic`` (False): run() does all operations or none, and waits until they have taken effect.

    These may be left out: ``in_use`` and ``marked``; ``leave(holding, actual) -> (reason, steps)``, the reason why a
    shared resource is needed by VIFs of another journal, and the steps that say on the host that ours needs it no more;
    ``renames(holdings, purpose) -> steps``, which give devices that somebody renamed their names back, or raise a
    HostError where that must not be done; ``is_there(holding, actual, purpose)``, whether anything is left of it;
    ``degradations(resources, guest)``, what cuts the guest off, see Degradation.
    """

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

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """Does operations in order. Raises OperationFailed."""

    def marked(self) -> Sequence[Marked]:
        """What bears our mark, for garbage collection; the resources as found."""
