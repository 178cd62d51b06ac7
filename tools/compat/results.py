# SPDX-License-Identifier: Apache-2.0
"""What came of one suite, with ours and with upstream's: counting and comparing, no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runner import FAILED, PASSED, SKIPPED
from suites import KNOWN

#: (what became of it, traceback or reason) by the id of the test.
Outcomes = Mapping[str, Sequence[str]]

COLUMNS = (PASSED, FAILED, SKIPPED)
MISSING = ("missing", "the test was not found")


@dataclass(frozen=True)
class Comparison:
    """One line of the table."""

    suite: str
    ours: Outcomes
    upstream: Outcomes

    @property
    def worse(self) -> dict[str, str]:
        """Tests that pass with upstream and do not here, and why; without those known."""
        return {test: detail for test, detail in self._not_passed_here().items() if test not in KNOWN}

    @property
    def known(self) -> list[str]:
        """Tests that pass with upstream and are known not to here."""
        return [test for test in self._not_passed_here() if test in KNOWN]

    @property
    def better(self) -> list[str]:
        """Tests that pass here and fail with upstream."""
        return [
            test
            for test, (outcome, _) in self.ours.items()
            if outcome == PASSED and self.upstream.get(test, MISSING)[0] == FAILED
        ]

    def _not_passed_here(self) -> dict[str, str]:
        passed = [test for test, (outcome, _) in self.upstream.items() if outcome == PASSED]
        here = {test: self.ours.get(test, MISSING) for test in passed}
        return {test: detail for test, (outcome, detail) in here.items() if outcome != PASSED}


def table(comparisons: Sequence[Comparison]) -> str:
    """Counts, side by side."""
    width = max(len(comparison.suite) for comparison in comparisons)
    lines = [
        f"{'':{width}}  {'upstream':^24}  {'this os-vif':^24}",
        f"{'':{width}}  " + "  ".join(2 * ["".join(f"{column:>8}" for column in COLUMNS)]),
    ]
    for comparison in comparisons:
        counts = "  ".join(_counts(outcomes) for outcomes in (comparison.upstream, comparison.ours))
        lines.append(f"{comparison.suite:{width}}  {counts}")
    return "\n".join(lines)


def _counts(outcomes: Outcomes) -> str:
    counted = Counter(outcome for outcome, _ in outcomes.values())
    return "".join(f"{counted[column]:8}" for column in COLUMNS)


def differences(comparisons: Sequence[Comparison]) -> str:
    """Which tests do not go as with upstream, and why."""
    lines = []
    for comparison in comparisons:
        lines += [f"FAILS HERE ONLY  {test}\n    {_last_line(detail)}" for test, detail in comparison.worse.items()]
        lines += [f"known  {test}" for test in comparison.known]
        lines += [f"passes here only  {test}" for test in comparison.better]
    lines += [f"known: {reason}" for reason in {KNOWN[test]: None for c in comparisons for test in c.known}]
    return "\n".join(lines)


def _last_line(detail: str) -> str:
    return detail.strip().rpartition("\n")[2]
