# SPDX-License-Identifier: Apache-2.0
"""Tests of this project, run by pytest inside the guest, each reported where it was asked for."""

from __future__ import annotations

import os
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.guest import machine

#: Set inside the guest, so that a test that should run there does not start another one.
INSIDE = "OS_VIF_TESTS_IN_GUEST"

REPOSITORY = Path(__file__).resolve().parents[3]


class Elsewhere:
    """The tests of a file, run once in a guest with the kernel modules named, and so many network ``cards``.

    With a ``directory``, all of that is run in one guest; its tests have different names.
    """

    def __init__(self, modules: Sequence[str], *, cards: int = 0, directory: Path | None = None) -> None:
        self._modules = modules
        self._cards = cards
        self._directory = directory
        self._runs: dict[Path, _Run] = {}

    def report(self, item: pytest.Item) -> None:
        """Fails with what a test failed with in the guest, if it did."""
        if os.environ.get(INSIDE):
            pytest.fail("this should run here, in the guest, but the guest's kernel lacks it too", pytrace=False)
        path = self._directory or item.path
        if path not in self._runs:
            self._runs[path] = self._run(path)
        run = self._runs[path]
        if item.name not in run.results:
            pytest.fail(f"the guest did not get so far as to report this:\n{run.console}", pytrace=False)
        if run.results[item.name] is not None:
            pytest.fail(f"in the guest: {run.results[item.name]}", pytrace=False)

    def _run(self, path: Path) -> _Run:
        options = ["-q", "--color=no", "-p", "no:cacheprovider", "--junit-xml=/dev/fd/3"]
        outcome = machine.run(
            [sys.executable, "-m", "pytest", "-c", REPOSITORY / "pyproject.toml", *options, path],
            modules=self._modules,
            cards=self._cards,
            environment={
                INSIDE: "1",
                "OS_VIF_TESTS_NOT_ISOLATED": "1",
                "OS_VIF_STATE_DIR": "/run/os-vif",
                "PYTHONDONTWRITEBYTECODE": "1",
                "TMPDIR": "/run",
                "CI": "1",
            },
        )
        return _Run(_results(outcome.output), outcome.console)


@dataclass(frozen=True)
class _Run:
    """What each test failed with, None where it passed; and all that was to be seen."""

    results: dict[str, str | None]
    console: str


def _results(text: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    try:
        cases = list(ElementTree.fromstring(text).iter("testcase"))
    except ElementTree.ParseError:
        return found
    for case in cases:
        trouble = [child for kind in ("failure", "error", "skipped") for child in case.findall(kind)]
        found[case.get("name", "")] = trouble[0].text or trouble[0].get("message", "") if trouble else None
    return found
