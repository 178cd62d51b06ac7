# SPDX-License-Identifier: Apache-2.0
"""Why a binding became what it is: a verdict for every binding type that was talked about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from os_vif.negotiation.answer import Answer
from os_vif.negotiation.choice import Decision
from os_vif.negotiation.offer import Offer
from os_vif.negotiation.refusal import Refusal

CHOSEN, REFUSED, NOT_REACHED, WITHDRAWN = "chosen", "refused", "not reached", "withdrawn"


@dataclass(frozen=True)
class Verdict:
    """What became of one binding type.

    ``verdict``: CHOSEN; REFUSED by the network side; NOT_REACHED, as a better one was chosen; WITHDRAWN by the
    hypervisor. ``code`` and ``reason`` say why, see Refusal; for what was chosen, ``reason`` has the versions.
    """

    candidate: str
    verdict: str
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Explanation:
    """``choice``: the name of what was chosen; empty when nothing was. ``verdicts``: in the hypervisor's order."""

    columns: ClassVar[Sequence[str]] = ("candidate", "verdict", "code", "reason")

    choice: str
    verdicts: Sequence[Verdict]

    @property
    def rows(self) -> list[list[str]]:
        """The verdicts, each with a text for each of the columns."""
        return [[v.candidate, v.verdict, v.code, v.reason] for v in self.verdicts]

    def to_primitive(self) -> dict[str, Any]:
        """For JSON."""
        return {"choice": self.choice or None, "candidates": [asdict(verdict) for verdict in self.verdicts]}

    def __str__(self) -> str:
        """A table in plain text."""
        lines = [[name.upper() for name in self.columns], *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        padded = ("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines)
        return "\n".join(line.rstrip() for line in padded)


def explain(offer: Offer, outcome: Decision | Answer) -> Explanation:
    """What became of each candidate, in the hypervisor's order, and then of each that was withdrawn.

    ``outcome``: what the network side decided, or the answer that came back.
    """
    choice, why = _of_answer(outcome) if isinstance(outcome, Answer) else _of_decision(outcome)
    verdicts = [*_of_candidates(offer, choice, why, outcome.refusals), *_of_withdrawn(offer)]
    return Explanation(choice, verdicts)


def _of_answer(answer: Answer) -> tuple[str, str]:
    return answer.choice, f"{answer.vif.obj_name()} {answer.vif_version}"


def _of_decision(decision: Decision) -> tuple[str, str]:
    choice = decision.choice
    if choice is None:
        return "", ""
    told = ", ".join(f"{name} {version}" for name, version in choice.versions.items())
    maker = f"; the {choice.device_by} makes the device" if choice.device_by else ""
    return choice.candidate.name, told + maker


def _of_candidates(offer: Offer, choice: str, why: str, refusals: Sequence[Refusal]) -> Iterator[Verdict]:
    left = list(refusals)
    reached = True
    for candidate in offer.candidates:
        name = candidate.name
        if left and left[0].candidate == name:
            refusal = left.pop(0)
            yield Verdict(name, REFUSED, refusal.code, refusal.reason)
        elif reached and name == choice:
            reached = False
            yield Verdict(name, CHOSEN, "", why)
        else:
            yield Verdict(name, NOT_REACHED)


def _of_withdrawn(offer: Offer) -> Iterator[Verdict]:
    for withdrawn in offer.withdrawn:
        yield Verdict(withdrawn.name, WITHDRAWN, withdrawn.code, withdrawn.reason)
