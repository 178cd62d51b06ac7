# SPDX-License-Identifier: Apache-2.0
"""The real command in a process of its own; in a network namespace where it touches the host."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.netns import Namespace
from support.vif_command import A, command

Vif = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed shall not depend on who runs the tests, and where."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONUNBUFFERED"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")


@pytest.fixture
def vif() -> Vif:
    """Runs the command where it need not touch the host: vif("validate", path)."""

    def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        options.setdefault("stdin", subprocess.DEVNULL if options.get("input") is None else None)
        if options["stdin"] is None:
            del options["stdin"]
        return subprocess.run(
            [command(), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, **options
        )

    return run


@pytest.fixture
def vif_inside(netns: Namespace) -> Vif:
    """Runs the command in the namespace ``netns``."""

    def run(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
        # readline, which pytest loads, puts COLUMNS into the environment behind Python's back.
        options.setdefault("env", dict(os.environ))
        return netns.run([command(), *map(str, arguments)], check=False, **options)

    return run


@pytest.fixture
def document() -> dict[str, Any]:
    """The example of guest A, to be changed."""
    found: dict[str, Any] = json.loads(A.read_text())
    return found


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a value as JSON, or text as it is, into a file: write(value, "name.json")."""

    def do(value: object, name: str = "given.json") -> Path:
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return do
