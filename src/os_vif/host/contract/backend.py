# SPDX-License-Identifier: Apache-2.0
"""What a backend is: one part of a host's network state that the engine can read, converge and take back.

The backends of a host are its links, its addresses and its firewall; Open vSwitch is one more, and packages of others
bring theirs. The engine knows none of them by name: a resource says which backend it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from os_vif.host.contract.degradation import Degradation, Guest
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
    """One part of the host: what every backend has. ``actual`` is whatever its own read() returned.

    - read(), converge() and remove() change nothing.
    - Whatever a process that is killed between two steps has left, converge() completes and remove() takes away.
    - An undo does no harm where its step was not done. A step of which no undo is told is undone by that of another.
    - What somebody else made raises ForeignDevice in converge(), and stays in remove(). What is ours bears a mark from
      its first moment.
    - Threads may call at the same time, for other resources; the locks of those concerned are held. All is about the
      network namespace of the calling thread.
    """

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> Any:
        """The present state of what these resources concern, in one go for a whole plan.

        Raises a HostError where it cannot be read.
        """

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        """What it takes for the resource to be as stated. Raises a HostError where that must not be done.

        No steps where all is as stated: it is asked again after they are done, and what is wanted then is an error.
        """

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        """What it takes for the resource to be gone, or back to what was there before; nothing where it is."""

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """Does operations in order; ``context`` names the privileged helper of the plugin.

        It may be asked for what is done already, and does no harm then. Raises OperationFailed, with how many are done;
        NotPermitted before it has done anything, or not at all.
        """


class KnownBackend(Backend, Protocol):
    """A backend as the engine has it: for what one of a third party leaves out of this there is an answer."""

    name: str

    def in_use(self, holding: Holding, actual: Any, leaving: Sequence[Holding]) -> str:
        """Why a shared resource must stay although no VIF of ours needs it any more; "" when it need not.

        ``leaving`` are the resources that would go at the same time.
        """

    def marked(self) -> Sequence[Marked]:
        """What bears our mark, for garbage collection; the resources as found."""


class OptionalMethods(Protocol):
    """What a backend may have beside that. Each can be left out."""

    #: run() does all operations or none, and waits until they have taken effect: its steps are gathered, and not read
    #: back.
    atomic: bool

    def in_use(self, holding: Holding, actual: Any, leaving: Sequence[Holding]) -> str:
        """See KnownBackend. Left out: nothing but VIFs needs what is shared."""

    def marked(self) -> Sequence[Marked]:
        """See KnownBackend. Left out: what no record tells of is not found."""

    def leave(self, holding: Holding, actual: Any) -> tuple[str, Sequence[Step]]:
        """Why VIFs of another journal need what is shared, "" where they do not; and the steps that say on the host
        that ours needs it no more."""

    def renames(self, holdings: Sequence[Holding], purpose: Purpose) -> Iterable[Step]:
        """What gives devices that somebody renamed their names back. Raises a HostError where that must not be done."""

    def is_there(self, holding: Holding, actual: Any, purpose: Purpose) -> bool:
        """Whether anything is left of it. Left out: nobody can tell that somebody has unplugged it."""

    def degradations(self, resources: Sequence[Resource], guest: Guest) -> Iterable[Degradation]:
        """What cuts the guest off, or is likely to, though all is as stated."""

    def searches(self, known: Iterable[Resource]) -> Sequence[Callable[[], Sequence[Marked]]]:
        """marked(), once for each place; ``known`` resources tell where these are. One that fails keeps no other."""
