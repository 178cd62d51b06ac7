# SPDX-License-Identifier: Apache-2.0
"""The conformance kit for backends is itself put to the test: each fault is found by the tests that are about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

HERE = Path(__file__).resolve().parent

FOUND_BY = {
    "NeverDone": "test_what_is_done_is_done",
    "NoWayBack": "test_every_step_can_be_undone",
    "UndoesTooMuch": "test_undoing_what_was_not_done_does_no_harm",
    "Nosy": "test_looking_changes_nothing",
    "Obedient": "test_operations_that_it_does_not_know_are_refused",
    "Confused": "test_operations_that_it_does_not_know_are_refused",
    "Keeps": "test_what_is_removed_is_gone",
    "RemovesAnything": "test_what_was_never_made_is_not_removed",
    "TakesEverything": "test_what_somebody_else_made_is_left_alone",
    "MarksLate": "test_cut_off_and_removed",
    "DoesNotComplete": "test_cut_off_and_done_again",
    "ComplainsWhenGone": "test_removed_in_spite_of_being_gone",
    "Silent": "test_every_step_is_told",
    "ForgetsWhatIsThere": "test_what_is_there_is_told",
    "Moody": "test_a_resource_survives_the_journal",
}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """For each backend, the tests of the kit that it failed."""
    report = tmp_path_factory.mktemp("kit") / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [*command, f"--rootdir={HERE}", "-c", "/dev/null", "--import-mode=importlib", HERE / "broken_backends.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, set[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        failed = found.setdefault(case.get("classname", "").rpartition("Test")[2], set())
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(case.get("name", ""))
    return found


def test_a_sound_backend_passes(failures):
    """Nothing is found where nothing is wrong."""
    assert failures["Sound"] == set()


@pytest.mark.parametrize("backend", FOUND_BY)
def test_a_fault_is_found(failures, backend):
    """By the test that is about it, maybe among others."""
    assert FOUND_BY[backend] in failures[backend]


def test_every_test_finds_something(failures):
    """One that never fails proves nothing."""
    tests = {name for name in vars(_kit()) if name.startswith("test_")}
    assert tests == {name for failed in failures.values() for name in failed}


def _kit():
    from os_vif.testing.conformance.backends import BackendConformance

    return BackendConformance
