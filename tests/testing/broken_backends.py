# SPDX-License-Identifier: Apache-2.0
"""Backends with a fault each, for the conformance kit to find. Not collected; test_backend_conformance runs it."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from os_vif import exception
from os_vif.backend import Holding, Marked, Outcome, Step, resource_type
from os_vif.testing import FakeHost
from os_vif.testing.conformance.backends import BackendConformance
from support import flags
from support.flags import Flag, FlagBackend, place


class Sound(FlagBackend):
    """A flag is planted, with a mark in it, and then raised; nothing wrong with it."""

    mark = "ours "

    def converge(self, resource, actual, purpose):
        name, word = resource.name, actual[resource.name]
        if word is not None and not word.startswith(self.mark):
            raise exception.ForeignDevice(device=name, vif_id=purpose.vif_id, reason="somebody else has raised it.")
        steps = [] if word is not None else [self.plant(name)]
        if word != self.mark + resource.word:
            steps.append(self._write(name, self.mark + resource.word, word or self.mark))
        return Outcome(Holding(resource, made=True), tuple(steps))

    def plant(self, name):
        there, back = self._operation("write", name, self.mark), self._operation("delete", name)
        return Step("flag", name, f"plant flag {name}", there, back)

    def _write(self, name, new, old):
        there, back = (self._operation("overwrite", name, word) for word in (new, old))
        return Step("flag", name, f"raise flag {name}", there, back)

    def remove(self, holding, actual, purpose):
        word = actual[holding.resource.name]
        return super().remove(holding, actual, purpose) if word and word.startswith(self.mark) else []

    def is_there(self, holding, actual, purpose):
        return actual[holding.resource.name] is not None

    def marked(self):
        ours = [path for path in place("").iterdir() if path.read_text().startswith(self.mark)]
        return [Marked("", Flag(name=path.name)) for path in ours]

    def _do(self, what, arguments):
        path = place(arguments["name"])
        if what == "flag.delete":
            path.unlink(missing_ok=True)
        elif what == "flag.write" or (what == "flag.overwrite" and path.exists()):
            path.write_text(arguments["word"])
        elif what != "flag.overwrite":
            raise OSError(22, f"there is no operation {what}")


class NeverDone(Sound):
    def converge(self, resource, actual, purpose):
        return super().converge(resource, {resource.name: self.mark}, purpose)


class NoWayBack(Sound):
    def plant(self, name):
        return dataclasses.replace(super().plant(name), undo=None)


class UndoesTooMuch(Sound):
    def _do(self, what, arguments):
        if what == "flag.delete" and not place(arguments["name"]).exists():
            place("white").write_text("surrendered")
        super()._do(what, arguments)


class Nosy(Sound):
    def read(self, resources, purpose):
        for one in resources:
            place(f"seen-{one.name}").write_text("")
        return super().read(resources, purpose)


class Obedient(Sound):
    def run(self, operations, context):
        super().run([one for one in operations if one.name.startswith("flag.")], context)


class Confused(Sound):
    def _do(self, what, arguments):
        {"flag.delete": 1, "flag.write": 1, "flag.overwrite": 1}[what]
        super()._do(what, arguments)


class Keeps(Sound):
    def remove(self, holding, actual, purpose):
        return []


class RemovesAnything(Sound):
    def remove(self, holding, actual, purpose):
        return super().remove(holding, {holding.resource.name: self.mark}, purpose)


class TakesEverything(Sound):
    def converge(self, resource, actual, purpose):
        word = actual[resource.name]
        known = {resource.name: self.mark if word and not word.startswith(self.mark) else word}
        return super().converge(resource, known, purpose)


class MarksLate(Sound):
    def plant(self, name):
        there, back = self._operation("write", name, "new"), self._operation("delete", name)
        return Step("flag", name, f"plant flag {name}", there, back)

    def remove(self, holding, actual, purpose):
        return FlagBackend.remove(self, holding, actual, purpose)


class DoesNotComplete(Sound):
    def converge(self, resource, actual, purpose):
        if actual[resource.name] is not None:
            return Outcome(Holding(resource, made=True))
        return super().converge(resource, actual, purpose)


class ComplainsWhenGone(Sound):
    def _do(self, what, arguments):
        if what == "flag.delete":
            place(arguments["name"]).unlink()
        else:
            super()._do(what, arguments)


class Silent(Sound):
    def plant(self, name):
        return dataclasses.replace(super().plant(name), text="")


class ForgetsWhatIsThere(Sound):
    def marked(self):
        return ()


class Kit(BackendConformance):
    __test__ = False
    backend = Sound

    @pytest.fixture(autouse=True)
    def _flags(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FLAGS", str(tmp_path))

    def make_host(self):
        return FakeHost()

    def make_backends(self):
        return {"flag": self.backend}

    def make_resource(self, number):
        return Flag(name=f"flag{number}")

    def make_changed(self):
        return Flag(name="flag1", word="half-mast")

    def make_foreign(self):
        place("flag1").write_text("theirs")

    def snapshot(self):
        return {path.name: path.read_text() for path in Path(os.environ["FLAGS"]).iterdir()}


@resource_type
@dataclass(frozen=True, kw_only=True)
class Moody(flags.Flag):
    """Its key is not that of its equal."""

    words: list[str] = dataclasses.field(default_factory=list)

    @property
    def key(self):
        return f"flag/{self.name}/{id(self)}"


class TestMoody(Kit):
    def make_resource(self, number):
        return Moody(name=f"flag{number}", words=["a"])


def _kits():
    for backend in (Sound, *Sound.__subclasses__()):
        yield f"Test{backend.__name__}", type(f"Test{backend.__name__}", (Kit,), {"backend": backend})


globals().update(_kits())
