# SPDX-License-Identifier: Apache-2.0
"""Packages of third parties, installed for one test: what an installer writes, in a directory of its own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from os_vif.host.state import resource, third_party


class Packages:
    """In this process, and in those that it starts. Removed with the test."""

    def __init__(self, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self._directory = directory
        self._patch = patch
        self._modules: set[str] = set()

    def install(self, name: str, backends: Mapping[str, str], modules: Mapping[str, str]) -> None:
        """Version 1.0. ``backends`` maps names to "module:Class", ``modules`` names to their text."""
        place = self._directory / name
        metadata = place / f"{name}-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = [f"{backend} = {value}" for backend, value in backends.items()]
        (metadata / "entry_points.txt").write_text("\n".join([f"[{third_party.GROUP}]", *lines, ""]))
        for module, text in modules.items():
            (place / f"{module}.py").write_text(text)
            self._modules.add(module)
        self._patch.syspath_prepend(str(place))
        self.look_again()

    def uninstall(self, name: str) -> None:
        """As if its files were gone, for a process that starts now."""
        sys.path.remove(str(self._directory / name))
        self.look_again()

    def look_again(self) -> None:
        """A process looks for backends once, and keeps their types; this is as if it had not yet."""
        importlib.invalidate_caches()
        third_party.forget_all()
        for name in [name for name, known in resource._TYPES.items() if known.__module__ in self._modules]:
            del resource._TYPES[name]
        for module in self._modules:
            sys.modules.pop(module, None)


#: The text of a module with a backend that can be copied and spoilt.
FLAGS = Path(__file__).with_name("flags.py").read_text()
