# SPDX-License-Identifier: Apache-2.0
"""convert and validate: serialized VIFs, without looking at the host."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output
from os_vif.cli.registry import Subparsers, add_files

if TYPE_CHECKING:
    from os_vif.cli.reading import Place


def register(commands: Subparsers) -> None:
    """Adds the commands."""
    convert = commands.add(
        "convert",
        _convert,
        help="rewrite serialized objects at other versions, for older peers",
        description="Prints the same document at those versions.",
    )
    add_files(convert, many=False)
    convert.add_argument(
        "--to",
        metavar="VERSION",
        action="append",
        required=True,
        help="1.0 for the outermost object, what is inside it to match; or Class=1.0 by name; can be repeated",
    )
    validate = commands.add(
        "validate",
        _validate,
        help="tell what is wrong with serialized VIFs, all of it, without touching the host",
    )
    add_files(validate)


def _convert(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli import reading, session

    target, manifest = _targets(arguments.to)
    session.open_objects(arguments)
    _check_versions(manifest)
    whole = reading.parse(arguments.file)
    converted = [
        _rewritten(document, place, target, manifest) for document, place in reading.documents_of(whole, arguments.file)
    ]
    output.json(converted if isinstance(whole, list) else converted[0])
    return ExitCode.OK


def _targets(said: list[str]) -> tuple[str | None, dict[str, str]]:
    manifest = dict(one.split("=", 1) for one in said if "=" in one)
    plain = [one for one in said if "=" not in one]
    if len(plain) > 1 or (plain and manifest):
        raise CommandError(
            "--to takes one plain version, or any number of Class=VERSION.", code="usage", exit_code=ExitCode.USAGE
        )
    return (plain[0] if plain else None), manifest


def _check_versions(manifest: dict[str, str]) -> None:
    """A version that nobody has would be taken for "as new as you can"."""
    from os_vif import exception
    from os_vif.objects import base

    for name, version in manifest.items():
        try:
            base.VersionedObject.obj_class_from_name(name, version)
        except exception.ObjectError as error:
            raise CommandError(
                f"--to {name}={version}: {error}", code=error.code, exit_code=ExitCode.USAGE, hint=error.hint
            ) from error


def _rewritten(document: Any, place: Place, target: str | None, manifest: dict[str, str]) -> Any:
    from os_vif.cli import reading

    parts = {name: _at_version(wire, at, target, manifest) for name, wire, at in reading.parts(document, place)}
    return parts.get("", parts)


def _at_version(wire: Any, place: Place, target: str | None, manifest: dict[str, str]) -> Any:
    from os_vif import exception
    from os_vif.cli import reading

    obj = reading.decode(wire, place)
    try:
        return obj.obj_to_primitive(target_version=target, version_manifest=manifest or None)
    except exception.ObjectError as error:
        raise reading.placed(error, place) from error


def _validate(arguments: argparse.Namespace, output: Output) -> ExitCode:
    from os_vif.cli import reading, session

    session.open_objects(arguments)
    results = [
        result
        for file in arguments.files
        for document, place in reading.documents(file)
        for result in _problems(document, place)
    ]
    output.document(results)
    for result in results:
        _show(result, output)
    return ExitCode.OK if all(result["valid"] for result in results) else ExitCode.BAD_INPUT


def _problems(document: Any, place: Place) -> list[dict[str, Any]]:
    from os_vif.cli import reading

    try:
        return [_checked(reading.decode(wire, at), at) for _, wire, at in reading.parts(document, place)]
    except CommandError as error:
        problem = {"field": error.places.get("field") or "", "reason": error.message, "hint": error.hint}
        return [{"file": place.file, "path": place.path, "object": None, "valid": False, "problems": [problem]}]


def _checked(obj: Any, place: Place) -> dict[str, Any]:
    from os_vif.objects import validate
    from os_vif.objects.wire import walk

    problems = [
        {"field": place.inside(problem.field).path, "reason": problem.reason, "hint": problem.hint}
        for problem in validate.problems(obj)
    ]
    told = {"file": place.file, "path": place.path, "object": obj.obj_name(), "version": obj.VERSION}
    dropped = [place.inside(field).path for field in walk.dropped_fields(obj)]
    return told | {"valid": not problems, "problems": problems, "unknown_fields": dropped}


def _show(result: dict[str, Any], output: Output) -> None:
    where = f"{result['file']}:{result['path']}" if result["path"] else result["file"]
    if result["valid"]:
        output.line(f"valid      {where}: {result['object']} {result['version']}", "good")
    else:
        output.line(f"not valid  {where}", "bad")
    for problem in result["problems"]:
        field = f"{problem['field']}: " if problem["field"] else ""
        output.line(f"           {field}{problem['reason']}")
        if problem["hint"]:
            output.line(f"             hint: {problem['hint']}", "dim")
    for name in result.get("unknown_fields", ()):
        output.line(f"           {name}: left out, this version of os-vif does not know it", "warn")
