# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of the object model: the recorded samples, and the oracle."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from os_vif import objects

DATA = Path(__file__).resolve().parents[1] / "data"
WORKER = Path(__file__).with_name("oracle_worker.py")

EXAMPLES = int(os.environ.get("OS_VIF_TEST_EXAMPLES", "300"))
"""How many examples of most properties to try. For a longer search: OS_VIF_TEST_EXAMPLES=4000 (three minutes)."""

objects.register_all()

Run = Callable[[list[list[Any]]], list[Any]]


@pytest.fixture(scope="session")
def samples() -> list[dict[str, Any]]:
    """What upstream writes: each object as it is (``current``) and at an older version (``at_target``)."""
    loaded: list[dict[str, Any]] = json.loads((DATA / "wire.json").read_text())
    return loaded


@pytest.fixture(scope="session")
def oracle(oracle_python: Path) -> Iterator[Run]:
    """Runs a program of oracle_worker on upstream's objects."""
    process = subprocess.Popen(
        [oracle_python, "-W", "ignore", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin and process.stdout
    requests, answers = process.stdin, process.stdout

    def run(program: list[list[Any]]) -> list[Any]:
        requests.write(json.dumps(program) + "\n")
        requests.flush()
        outcome: list[Any] = json.loads(answers.readline())
        return outcome

    yield run
    requests.close()
    process.wait(timeout=120)
    answers.close()
