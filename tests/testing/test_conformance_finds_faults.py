# SPDX-License-Identifier: Apache-2.0
"""The conformance kit is itself put to the test: faults that plugins have had are found, each by the right test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

HERE = Path(__file__).resolve().parent

FOUND_BY = {
    "NotRepeatable": {"test_plugging_twice", "test_threads_with_the_same_vif"},
    "ComplainsWhenGone": {"test_unplugging_twice", "test_unplugging_what_was_never_plugged"},
    "ForgetsHalf": {"test_killed_while_plugging_then_plugged_again"},
    "LeaksFiles": {"test_nothing_grows"},
    "LeaksThreads": {"test_nothing_grows"},
    "LeaksDevices": {"test_unplugging_undoes_plugging", "test_nothing_grows"},
    "Clumsy": {"test_vifs_do_not_disturb_each_other"},
    "SaysTooMuch": {"test_the_vif_is_described"},
}


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory, _namespaces_possible) -> dict[str, set[str]]:
    """For each plugin, the tests of the kit that it failed."""
    report = tmp_path_factory.mktemp("kit") / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [*command, f"--rootdir={HERE}", "-c", "/dev/null", "--import-mode=importlib", *_tests()],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(HERE.parent), "HOME": str(report.parent)},
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, set[str]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        failed = found.setdefault(case.get("classname", "").rpartition("Test")[2], set())
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(case.get("name", ""))
    return found


def _tests() -> list[str]:
    """All for the sound plugin, and for each of the others those that are to find its fault."""
    file = HERE / "broken_plugins.py"
    return [
        f"{file}::TestSound",
        *(f"{file}::Test{name}::{test}" for name in FOUND_BY for test in sorted(FOUND_BY[name])),
    ]


def test_a_sound_plugin_passes(failures):
    """Nothing is found where nothing is wrong."""
    assert failures["Sound"] == set()


@pytest.mark.parametrize("plugin", FOUND_BY)
def test_a_fault_is_found(failures, plugin):
    """By the tests that are about it."""
    assert failures[plugin] == FOUND_BY[plugin]
