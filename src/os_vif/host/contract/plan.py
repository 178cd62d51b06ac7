# SPDX-License-Identifier: Apache-2.0
"""Plans: what is to be done to a host, each step with its inverse, and what will then be held for a VIF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from os_vif.host.contract.operations import Operation
from os_vif.host.state import Resource


@dataclass(frozen=True)
class Step:
    """One operation of a plan.

    ``backend`` says who does it, ``device`` what it is done to, ``text`` completes the sentence "could not ...".
    ``undo`` is None where undoing another step does it already (a device that we made is deleted as a whole).

    Of those that take something away, the ``early`` ones are done before all others; and when one fails, nothing more
    is done to the devices that it ``guards``. Where one is ``vital``, being cut off after it would cut off the host.
    Where one ``unsettles``, others answer to it by changes of their own: what else is to be done shows only after it.
    """

    backend: str
    device: str
    text: str
    operation: Operation
    undo: Operation | None = None
    early: bool = False
    guards: tuple[str, ...] = ()
    vital: bool = False
    unsettles: bool = False

    def to_primitive(self) -> dict[str, Any]:
        """The JSON form, as kept in the journal and shown by ``vif plan --output json``."""
        return {
            "backend": self.backend,
            "device": self.device,
            "text": self.text,
            "operation": self.operation.to_primitive(),
            "undo": self.undo.to_primitive() if self.undo else None,
        }


@dataclass(frozen=True)
class Holding:
    """What we know of a resource that a VIF uses.

    ``made``: os-vif made it, and may delete it. ``prior``: what was there before, to be put back; of a device also
    its ``index``, by which it is found where it was renamed.
    """

    resource: Resource
    made: bool = False
    prior: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Confirmation:
    """What must work after a plan if it worked before, or all is undone: the operation ``after``, if ``before`` did.

    ``text`` is the sentence for when it does not.
    """

    device: str
    text: str
    before: Operation
    after: Operation


@dataclass(frozen=True)
class Outcome:
    """What a backend answers for one resource: the steps that it takes, and what is then held.

    ``late`` steps come after those of all other resources; then all ``confirmations`` have to hold.
    """

    holding: Holding
    steps: tuple[Step, ...] = ()
    late: tuple[Step, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Steps in the order in which they are done. ``notes`` tell what was left alone, and why."""

    vif_id: str
    action: str
    steps: tuple[Step, ...] = ()
    holdings: tuple[Holding, ...] = ()
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def to_primitive(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "vif_id": self.vif_id,
            "action": self.action,
            "steps": [step.to_primitive() for step in self.steps],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = [f"{number}. {step.text}" for number, step in enumerate(self.steps, 1)] or ["nothing to do"]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])
