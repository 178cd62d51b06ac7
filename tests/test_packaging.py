# SPDX-License-Identifier: Apache-2.0
"""What is promised to whoever installs the package; tools/check_core_install.py looks at the size of it."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"
PACKAGES = sorted(path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists())
MUST_NOT_LOAD = ("oslo_versionedobjects", "oslo_messaging", "eventlet", "pyroute2", "oslo_privsep", "rich")


#: What only a Neutron server loads; tests/neutron_ml2 has one do it.
OF_NEUTRON = ("neutron.ml2.mechanism_drivers", "paste.filter_factory")


def entry_points() -> list[importlib.metadata.EntryPoint]:
    return [e for e in importlib.metadata.distribution("os-vif").entry_points if e.group not in OF_NEUTRON]


def test_pip_takes_it_where_os_vif_is_required():
    major = int(importlib.metadata.version("os-vif").split(".")[0])
    assert major >= 6


@pytest.mark.parametrize("entry_point", entry_points(), ids=lambda point: f"{point.group}:{point.name}")
def test_entry_point_can_be_loaded(entry_point):
    assert callable(entry_point.load())


@pytest.mark.parametrize("package", PACKAGES)
def test_package_is_typed(package):
    assert (SOURCE / package / "py.typed").exists()


def test_initializing_loads_nothing_heavy():
    code = f"""
import json, sys
import os_vif
os_vif.initialize()
print(json.dumps([name for name in {MUST_NOT_LOAD!r} if name in sys.modules]))
"""
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == []


def test_documents_name_the_wheel_that_is_built():
    """And nothing that pip would fetch from PyPI, where another os-vif is."""
    wheel = f"os_vif-{importlib.metadata.version('os-vif')}-py3-none-any.whl"
    root = SOURCE.parent
    for path in (root / "README.md", *(root / "docs").glob("*.md")):
        text = path.read_text()
        assert set(re.findall(r"os_vif-[^ ]+?\.whl", text)) <= {wheel}, path
        # The way back to upstream's is the one command that shall fetch it; the other is told of as what not to do.
        fetched = set(re.findall(r"pip install[^\n`]*os-vif[^\n`]*", text)) - {"pip install os-vif==5.3.0"}
        assert fetched <= ({"pip install os-vif"} if path.name in ("install.md", "nova.md") else set()), path
