# SPDX-License-Identifier: Apache-2.0
"""The conformance kit of network drivers is itself put to the test: each fault is found by the tests about it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

HERE = Path(__file__).resolve().parent

FOUND_BY = {
    "Forgetful": {"test_asked_again_the_answer_is_the_same", "test_threads_with_the_same_key"},
    "Leaky": {"test_what_is_refused_leaves_nothing"},
    "Wilful": {"test_the_order_of_the_hypervisor_wins"},
    "Gullible": {"test_whoever_knows_another_generation_is_refused", "test_another_request_is_another_generation"},
    "Hoarder": {"test_unbinding_takes_a_port_of_ours_away", "test_arrived"},
    "Patient": {"test_a_binding_lapses"},
    "Hasty": {"test_the_second_binding_is_inactive"},
    "Acting": {"test_deciding_changes_nothing"},
}


@pytest.fixture(scope="module")
def failures(tmp_path_factory):
    """For each driver, the tests of the kit that it failed."""
    report = tmp_path_factory.mktemp("kit") / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [*command, f"--rootdir={HERE}", "-c", "/dev/null", "--import-mode=importlib", *_tests()],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "PYTHONPATH": str(HERE.parent),
            "HOME": str(report.parent),
            "TMPDIR": str(report.parent),
        },
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        failed = found.setdefault(case.get("classname").rpartition("Test")[2], set())
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(case.get("name"))
    return found


def _tests():
    """All for the sound driver, and for each of the others those that are to find its fault."""
    file = HERE / "broken_drivers.py"
    return [
        f"{file}::TestSound",
        *(f"{file}::Test{name}::{test}" for name in FOUND_BY for test in sorted(FOUND_BY[name])),
    ]


def test_a_sound_driver_passes(failures):
    """Nothing is found where nothing is wrong."""
    assert failures["Sound"] == set()


@pytest.mark.parametrize("driver", FOUND_BY)
def test_a_fault_is_found(failures, driver):
    """By the tests that are about it."""
    assert failures[driver] == FOUND_BY[driver]
