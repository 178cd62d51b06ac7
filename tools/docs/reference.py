# SPDX-License-Identifier: Apache-2.0
"""Writes the pages of the reference that are made from the code: tools/docs/reference.py DIRECTORY."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

from os_vif import exception, objects, opts
from os_vif.cli import reference as commands
from os_vif.host import state
from os_vif.host.state import ovs, vf
from os_vif.objects.wire.registry import CLASSES


def main(directory: Path) -> None:
    """Writes a page only where its text has changed, so that a site is made anew only where it must be."""
    texts = {name: "\n".join(lines()) + "\n" for name, lines in PAGES.items()}
    texts |= {f"commands/{name}.md": text for name, text in commands.pages().items()}
    for name, text in texts.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def errors() -> Iterator[str]:
    """Every error with its code, from the tree."""
    yield from (
        "# Errors",
        "",
        "Every error is an `os_vif.exception.ExceptionBase`. Its `code` is stable and for programs:",
    )
    yield from ("`vif --output json` gives it, and `error.code` in Python. The text is for people.", "")
    yield from ("| code | error | is a | meaning |", "| --- | --- | --- | --- |")
    for name in exception.__all__:
        error = getattr(exception, name)
        parents = ", ".join(f"`{base.__name__}`" for base in error.__bases__ if base is not Exception)
        yield f"| `{error.code}` | `{name}` | {parents} | {_first_line(error)} |"


def options() -> Iterator[str]:
    """Every option with its default, by group."""
    yield from ("# Options", "", "What `/etc/os-vif/os-vif.conf`, and Nova's own configuration, may set.", "")
    for group, declared in sorted(opts.list_plugins_opts()):
        if not declared:
            continue
        yield from (f"## `[{group}]`", "")
        for option in declared:
            default = option.sample_default if option.sample_default is not None else option.default
            yield f"`{option.name}` ({type(option.type).__name__.lower()}, default `{_shown(default)}`)"
            yield f": {' '.join((option.help or '').split())}"
            yield ""


def model() -> Iterator[str]:
    """Every class of the object model with its versions and fields."""
    objects.register_all()
    yield from ("# Object model", "", "What VIFs, networks and instances are made of, and how each has grown.", "")
    for name, latest in sorted(CLASSES.items()):
        yield from (f"## {name}", "", _first_line(latest), "")
        yield from (f"Versions: {', '.join(latest.obj_versions())}.", "")
        if not latest.fields:
            continue
        yield from ("| field | kind | may be None |", "| --- | --- | --- |")
        for field_name, field in sorted(latest.fields.items()):
            kind = type(field).__name__.removesuffix("Field")
            yield f"| `{field_name}` | {kind} | {'yes' if field.nullable else ''} |"
        yield ""


def resources() -> Iterator[str]:
    """The vocabulary of desired state."""
    yield from (
        "# Resources",
        "",
        "What a plugin can state that a host should have (`os_vif.host.state` and its neighbours).",
        "",
    )
    for module in (state, ovs, vf):
        for name, resource in inspect.getmembers(module, inspect.isclass):
            if resource.__module__ == module.__name__ and issubclass(resource, state.Resource):
                yield from (f"## `{module.__name__}.{name}`", "", inspect.getdoc(resource) or "", "")
                yield from ("| attribute | type | default |", "| --- | --- | --- |")
                for field in dataclasses.fields(resource):
                    yield f"| `{field.name}` | `{_cell(field.type)}` | {_default_of(field)} |"
                yield ""


def _default_of(field: dataclasses.Field[object]) -> str:
    if field.default is not dataclasses.MISSING:
        return f"`{_shown(field.default)}`"
    return "empty" if field.default_factory is not dataclasses.MISSING else "required"


def _shown(value: object) -> str:
    return str(value) if value not in ("", None) else "none"


def _cell(text: object) -> str:
    return str(text).replace("|", "\\|")


def _first_line(thing: object) -> str:
    return _cell(" ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split()))


PAGES = {"errors.md": errors, "options.md": options, "model.md": model, "resources.md": resources}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
