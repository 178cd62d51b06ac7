# SPDX-License-Identifier: Apache-2.0
"""Runs one suite in the interpreter it is called with, and writes down what became of each test.

    runner.py SUITE OUTPUT.json [TEST-ID ...]

With ids, only those tests are run.
"""

from __future__ import annotations

import importlib
import json
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from suites import SUITES, Suite

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class Outcomes(unittest.TestResult):
    """What became of each test, by its id; of a failed one, the traceback too."""

    def __init__(self) -> None:
        super().__init__()
        self.by_id: dict[str, tuple[str, str]] = {}

    def _note(self, test: Any, outcome: str, detail: str = "") -> None:
        # One failure is enough: a test may fail and its clean-up succeed.
        if self.by_id.get(test.id(), ("", ""))[0] != FAILED:
            self.by_id[test.id()] = (outcome, detail)

    def addSuccess(self, test: Any) -> None:
        self._note(test, PASSED)

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        self._note(test, PASSED)

    def addSkip(self, test: Any, reason: str) -> None:
        self._note(test, SKIPPED, reason)

    def addUnexpectedSuccess(self, test: Any) -> None:
        self._note(test, FAILED, "succeeds, and was expected not to")

    def addFailure(self, test: Any, err: Any) -> None:
        super().addFailure(test, err)
        self._note(test, FAILED, self.failures[-1][1])

    def addError(self, test: Any, err: Any) -> None:
        super().addError(test, err)
        self._note(test, FAILED, self.errors[-1][1])

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, FAILED, str(err[1]))


def main(name: str, output: str, *only: str) -> int:
    suite = next(suite for suite in SUITES if suite.name == name)
    for module in suite.preload:
        importlib.import_module(module)
    tests = unittest.TestSuite(test for test in _tests(_load(suite)) if not only or test.id() in only)
    outcomes = Outcomes()
    tests.run(outcomes)
    Path(output).write_text(json.dumps(outcomes.by_id, indent=1))
    return 0


def _load(suite: Suite) -> Iterator[unittest.TestSuite]:
    loader = unittest.TestLoader()
    loader.testNamePatterns = list(suite.patterns) or None
    for name in suite.tests:
        package = _package(name)
        if package is None:
            yield loader.loadTestsFromName(name)
        else:
            yield loader.discover(str(package), top_level_dir=str(package.parents[name.count(".")]))


def _package(name: str) -> Path | None:
    """Where a package is; None for modules and classes."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    return Path(module.__path__[0]) if hasattr(module, "__path__") else None


def _tests(found: Any) -> Iterator[Any]:
    for entry in found:
        if isinstance(entry, unittest.TestCase):
            yield entry
        else:
            yield from _tests(entry)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
