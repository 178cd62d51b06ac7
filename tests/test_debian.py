# SPDX-License-Identifier: Apache-2.0
"""The Debian packages are of the version that the project says; `make deb` builds and tries them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_versions_are_the_same():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.match(r"os-vif-engine \((.*?)\)", (ROOT / "debian/changelog").read_text())
    assert newest is not None and newest[1] == version.replace(".dev", "~dev")
    provided = re.search(r"Provides: python3-os-vif \(= (.*?)\)", (ROOT / "debian/control").read_text())
    assert provided is not None and provided[1] == version.partition(".dev")[0]


def test_what_debian_depends_on_is_what_pip_does():
    """And nothing else is needed at run time; dh_python3 reads the rest from the metadata."""
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    built_with = (ROOT / "debian/control").read_text().partition("Package:")[0]
    assert {f"python3-{re.split('[>=]', name)[0]}" for name in needed} <= set(
        re.findall(r"python3-[\w.-]+", built_with)
    )
