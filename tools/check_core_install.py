# SPDX-License-Identifier: Apache-2.0
"""Installs the project without extras into an empty virtual environment, and looks at what came along.

A compute host pays for every package: to download, to import, to watch for security fixes. So there is a limit.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
MOST_DISTRIBUTIONS = 16
NOT_COUNTED = {"pip", "setuptools", "wheel"}
MUST_NOT_LOAD = ("oslo_versionedobjects", "oslo_messaging", "eventlet", "pyroute2")

INITIALIZE = f"""
import json, sys
import os_vif
os_vif.initialize()
print(json.dumps([name for name in {MUST_NOT_LOAD!r} if name in sys.modules]))
"""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="os-vif-core-") as temporary:
        python = _install(Path(temporary))
        installed = _distributions(python)
        problems = [*_too_many(installed), *_loaded(python), *_command(python)]
    print(f"core install: {len(installed)} distributions: {', '.join(sorted(installed))}")
    for problem in problems:
        print(f"core install: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _install(directory: Path) -> Path:
    subprocess.run([REPOSITORY / "tools" / "make-wheel", directory], check=True)
    (wheel,) = directory.glob("*.whl")
    subprocess.run([REPOSITORY / "tools" / "make-venv", directory / "venv", wheel], check=True)
    return directory / "venv" / "bin" / "python"


def _distributions(python: Path) -> set[str]:
    listing = _output(python, "-m", "pip", "--disable-pip-version-check", "list", "--format=json")
    return {entry["name"].lower() for entry in json.loads(listing)} - NOT_COUNTED


def _too_many(installed: set[str]) -> list[str]:
    if len(installed) <= MOST_DISTRIBUTIONS:
        return []
    return [f"{len(installed)} distributions; at most {MOST_DISTRIBUTIONS} are allowed"]


def _loaded(python: Path) -> list[str]:
    try:
        loaded = json.loads(_output(python, "-c", INITIALIZE))
    except subprocess.CalledProcessError:
        return ["os_vif.initialize() fails; what it printed is above"]
    return [f"initialize() loads {module}" for module in loaded]


def _command(python: Path) -> list[str]:
    """Without the extra `cli` the command may do less, but must say so like a grown-up."""
    ran = subprocess.run([python.parent / "vif", "--help"], capture_output=True, text=True, check=False)
    return [f"vif --help ends in a traceback:\n{ran.stderr}"] if "Traceback" in ran.stderr else []


def _output(python: Path, *arguments: str) -> str:
    # -I: nothing from the current directory, only what was installed.
    return subprocess.run([python, "-I", *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
