# SPDX-License-Identifier: Apache-2.0
"""A kind of resource of a third party, as small as there is: flags, which are files in the directory $FLAGS."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from os_vif.backend import Holding, Operation, OperationFailed, Outcome, Resource, Step, resource_type


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
