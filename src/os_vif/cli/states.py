# SPDX-License-Identifier: Apache-2.0
"""What a check comes to, as commands show it and end with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from os_vif.cli.exit_code import ExitCode
from os_vif.plugging.inspection import CheckResult, CheckState

#: The word for a state and its style; None where nothing can be told.
WORDS = {
    CheckState.OK: ("ok", "good"),
    CheckState.DEGRADED: ("degraded", "warn"),
    CheckState.DIFFERS: ("differs", "bad"),
    None: ("unknown", "warn"),
}

_CODES = {CheckState.DIFFERS: ExitCode.DIFFERS, CheckState.DEGRADED: ExitCode.DEGRADED}


def told(found: CheckResult, *more: str) -> dict[str, Any]:
    """As a result in JSON; ``more`` are further differences."""
    differences = [*more, *found.differences]
    state = CheckState.DIFFERS if differences else found.state
    return {
        "ok": state is CheckState.OK,
        "state": state.value,
        "differences": differences,
        "degradations": [one.to_primitive() for one in found.degradations],
        "gone": found.gone,
    }


def with_state(result: dict[str, Any]) -> dict[str, Any]:
    """The same for what can only be ok or not: of a service, say."""
    states = {True: CheckState.OK.value, False: CheckState.DIFFERS.value}
    return {"state": states.get(result["ok"]), "degradations": [], "gone": False, **result}


def exit_code(results: Sequence[dict[str, Any]]) -> ExitCode:
    """That of the worst."""
    found = {result.get("state") for result in results}
    return next((code for state, code in _CODES.items() if state in found), ExitCode.OK)


def lines(result: dict[str, Any]) -> Iterator[str]:
    """What was found, for people."""
    yield from result.get("differences", ())
    for one in result.get("degradations", ()):
        yield one["text"]
        yield f"  hint: {one['hint']}"
