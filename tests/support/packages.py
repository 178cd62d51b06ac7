# SPDX-License-Identifier: Apache-2.0
"""Packages of third parties, installed for one test: what an installer writes, in a directory of its own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from os_vif.host.state import third_party


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
        """A process looks for backends once; this is as if it had not yet."""
        importlib.invalidate_caches()
        third_party.forget_all()
        for module in self._modules:
            sys.modules.pop(module, None)


FLAGS = '''
import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from os_vif import exception
from os_vif.backend import Holding, Marked, Operation, OperationFailed, Outcome, Resource, Step, resource_type


@resource_type
@dataclass(frozen=True, kw_only=True)
class Flag(Resource):
    """A file that is there, with a word in it."""

    backend: ClassVar[str] = "flag"
    name: str
    word: str = "up"

    @property
    def key(self):
        return f"flag/{self.name}"

    @property
    def label(self):
        return f"flag {self.name}"


def place(name):
    return Path(os.environ["FLAGS"], name)


class FlagBackend:
    """The smallest one that there is: what it needs, and no more."""

    def __init__(self, host, home):
        pass

    def read(self, resources, purpose):
        return {one.name: place(one.name).read_text() if place(one.name).exists() else None for one in resources}

    def converge(self, resource, actual, purpose):
        word = actual[resource.name]
        steps = () if word == resource.word else (self._write(resource.name, resource.word, word),)
        return Outcome(Holding(resource, made=True), steps)

    def _write(self, name, new, old):
        undo = self._operation("write", name, old) if old else self._operation("delete", name)
        return Step("flag", name, f"raise flag {name}", self._operation("write", name, new), undo)

    def remove(self, holding, actual, purpose):
        name = holding.resource.name
        return [Step("flag", name, f"lower flag {name}", self._operation("delete", name))] if actual[name] else []

    def _operation(self, what, name, word=""):
        return Operation(f"flag.{what}", {"name": name, "word": word})

    def run(self, operations, context):
        for number, one in enumerate(operations):
            try:
                self._do(one.name, one.arguments)
            except OSError as error:
                raise OperationFailed(number, error.errno, str(error)) from None

    def _do(self, what, arguments):
        path = place(arguments["name"])
        path.unlink(missing_ok=True) if what == "flag.delete" else path.write_text(arguments["word"])
'''
