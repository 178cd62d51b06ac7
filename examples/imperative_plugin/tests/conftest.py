# SPDX-License-Identifier: Apache-2.0
"""The plugin is loaded by its entry point: from where it is installed, or else from a directory made for the test."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from stevedore.extension import ExtensionManager

import os_vif
from os_vif.loading import plugins

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = set(sys.modules)
    site = tmp_path_factory.mktemp("site")
    _write_metadata(site)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROJECT / "src"))
        patch.syspath_prepend(str(site))
        _look_again()
        os_vif.initialize(reset=True)
        yield
    for name in set(sys.modules) - before:
        if name.startswith("vif_plug_pair"):
            del sys.modules[name]
    _look_again()
    plugins.load(again=True)


def _look_again() -> None:
    """Other tests of the same run may have had stevedore look for plugins already; it remembers."""
    importlib.invalidate_caches()
    ExtensionManager.ENTRY_POINT_CACHE.clear()


def _write_metadata(site: Path) -> None:
    """What an installer writes, so that no installer and no network is needed."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    directory = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    directory.mkdir()
    (directory / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = [f"{name} = {value}" for name, value in project["entry-points"]["os_vif"].items()]
    (directory / "entry_points.txt").write_text("\n".join(["[os_vif]", *lines, ""]))
