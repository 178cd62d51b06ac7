# SPDX-License-Identifier: Apache-2.0
"""Reading files of serialized VIFs.

A file holds JSON: a VIF in its wire form, or ``{"vif": ..., "instance": ...}`` with both in their wire forms, or a list
of such. Errors name the file and the place in it: line and column where it is not JSON, else the dotted path.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from os_vif import exception
from os_vif.cli import errors
from os_vif.cli.errors import BadInput, CommandError

_WIRE_NAME = "versioned_object.name"
_PAIR = ("vif", "instance")
_HINT = 'A VIF as OpenStack serializes it is needed, or {"vif": ..., "instance": ...}, or a list of such.'


class Place(NamedTuple):
    """A place in a file: the dotted path is "" for all of it."""

    file: str
    path: str = ""

    def inside(self, name: str) -> Place:
        """The place called ``name`` in this one."""
        dot = "." if self.path and name and not name.startswith("[") else ""
        return Place(self.file, f"{self.path}{dot}{name}")

    def __str__(self) -> str:
        return f"{self.file}:{self.path}" if self.path else self.file


class Entry(NamedTuple):
    """A VIF, the instance it belongs to, and where they were read."""

    vif: Any
    instance: Any
    place: Place


def entries(files: Sequence[str]) -> list[Entry]:
    """The VIFs of all files. Raises CommandError."""
    return entries_of([document for file in _each_once(files) for document in documents(file)])


def check_sound(found: Sequence[Entry]) -> None:
    """Raises BadInput, which names every field that no host can do anything with."""
    problems = [problem for entry in found for problem in _unsound(entry)]
    if len(problems) == 1:
        raise problems[0]
    if problems:
        several = BadInput(f"{len(problems)} fields cannot be used:", code="invalid-request")
        several.others = tuple(problems)
        raise several


@contextlib.contextmanager
def located(found: Sequence[Entry]) -> Iterator[None]:
    """Around the use of entries: an error about a field of one of them names the place in the file."""
    from os_vif.plugging import requests

    try:
        yield
    except exception.ExceptionBase as error:
        told = errors.of_library(error)
        entry = next((e for e in found if requests.identity(e.vif) == told.places.get("vif_id")), None)
        if entry is not None and told.places.get("field"):
            field = str(told.places["field"])
            told.message = told.message.removeprefix(f"VIF {told.places['vif_id']}: ").removeprefix(f"{field}: ")
            told.places |= {"file": entry.place.file, "field": entry.place.inside(field).path}
        raise told from error


def entries_of(found: Sequence[tuple[Any, Place]]) -> list[Entry]:
    """The VIFs of documents that have been parsed. Raises CommandError."""
    from os_vif import objects

    objects.register_all()
    read = list(_entries(found))
    _check_distinct(read)
    return read


def documents(file: str) -> list[tuple[Any, Place]]:
    """What a file holds, one by one. Raises BadInput."""
    return documents_of(parse(file), file)


def documents_of(value: Any, file: str) -> list[tuple[Any, Place]]:
    """The same, of a file that has been parsed."""
    name = _name_of(file)
    if not isinstance(value, list):
        return [(value, Place(name))]
    if not value:
        raise BadInput("the list is empty.", code="malformed", file=name, hint=_HINT)
    return [(item, Place(name, f"[{number}]")) for number, item in enumerate(value)]


def parse(file: str) -> Any:
    """The JSON of a file. Raises BadInput."""
    from os_vif.objects import codec

    raw = _bytes(file)
    try:
        return codec.parse(raw)
    except exception.MalformedText as error:
        reason = "the file is empty" if not raw.strip() else str(error.kwargs["reason"])
        line, column = error.kwargs["line"], error.kwargs["column"]
        raise BadInput(
            f"this is not JSON: {reason}.", code=error.code, hint=_HINT, file=_name_of(file), line=line, column=column
        ) from error


def decode(primitive: Any, place: Place) -> Any:
    """The object at a place. Raises CommandError, which names the place."""
    from os_vif.objects import base

    if not isinstance(primitive, dict) or _WIRE_NAME not in primitive:
        raise BadInput(
            "this is not a serialized object.", code="malformed", hint=_HINT, file=place.file, field=place.path
        )
    try:
        return base.VersionedObject.obj_from_primitive(primitive)
    except exception.ObjectError as error:
        raise placed(error, place) from error


def parts(document: Any, place: Place) -> Iterator[tuple[str, Any, Place]]:
    """The serialized objects of a document: ("vif" or "instance" or "", the wire form, its place)."""
    if not isinstance(document, dict) or _WIRE_NAME in document or "vif" not in document:
        yield "", document, place
        return
    unknown = sorted(document.keys() - set(_PAIR))
    if unknown:
        known = " and ".join(_PAIR)
        raise BadInput(f"only {known} are known here.", code="malformed", file=place.file, field=_at(place, unknown[0]))
    yield from ((name, document[name], place.inside(name)) for name in _PAIR if document.get(name) is not None)


def _at(place: Place, name: str) -> str:
    return place.inside(name).path


def _name_of(file: str) -> str:
    return "stdin" if file == "-" else file


def _bytes(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BadInput(f"{reason}.", code="unreadable", file=file, hint="FILE is a path, or - for stdin.") from error


def _each_once(files: Sequence[str]) -> Iterator[str]:
    for number, file in enumerate(files):
        if file == "-" and "-" in files[:number]:
            raise BadInput("it can be read once only.", code="unreadable", file=_name_of(file))
        yield file


def _entries(found: Sequence[tuple[Any, Place]]) -> Iterator[Entry]:
    from os_vif.objects.instance_info import InstanceInfo
    from os_vif.objects.vif import VIFBase

    for document, place in found:
        objects = {name or "vif": (decode(wire, at), at) for name, wire, at in parts(document, place)}
        vif, vif_place = objects["vif"]
        _check_kind(vif, VIFBase, "a VIF", vif_place)
        instance, instance_place = objects.get("instance", (InstanceInfo(), place))
        _check_kind(instance, InstanceInfo, "an InstanceInfo", instance_place)
        yield Entry(vif, instance, vif_place)


def _unsound(entry: Entry) -> Iterator[BadInput]:
    from os_vif.objects import validate
    from os_vif.plugging import requests

    for problem in validate.problems(entry.vif):
        yield BadInput(
            f"{problem.reason}.",
            code="invalid-request",
            hint=problem.hint,
            file=entry.place.file,
            field=entry.place.inside(problem.field).path,
            vif_id=requests.identity(entry.vif),
        )


def _check_kind(obj: Any, wanted: type, words: str, place: Place) -> None:
    if not isinstance(obj, wanted):
        raise BadInput(
            f"this is {_article(obj.obj_name())}, and {words} is needed.",
            code="malformed",
            hint=_HINT,
            file=place.file,
            field=place.path,
        )


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _check_distinct(found: Sequence[Entry]) -> None:
    from os_vif.plugging import requests

    places: dict[str, Place] = {}
    for entry in found:
        try:
            vif_id = requests.identity(entry.vif)
        except exception.ExceptionBase as error:
            raise placed(error, entry.place) from error
        if vif_id in places:
            raise BadInput(
                f"VIF {vif_id} is also in {places[vif_id]}; each can be given once.",
                code="given-twice",
                file=entry.place.file,
                field=entry.place.path,
                vif_id=vif_id,
            )
        places[vif_id] = entry.place


def placed(error: exception.ExceptionBase, place: Place) -> CommandError:
    """An error about an object, with the place of the object in front of the field's."""
    field = str(error.kwargs.get("field") or "")
    told = errors.of_library(error)
    told.message = str(error.kwargs.get("reason") or error).removeprefix(f"{field}: ")
    if not told.message.endswith("."):
        told.message += "."
    told.places |= {"file": place.file, "field": place.inside(field).path}
    return told
