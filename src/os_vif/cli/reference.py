# SPDX-License-Identifier: Apache-2.0
"""The reference of the command line in Markdown, made from the parser: ``python -m os_vif.cli.reference``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from os_vif.cli import options, parser
from os_vif.cli.exit_code import MEANINGS

HEADING = "## Reference"


def markdown() -> str:
    """Everything from the heading on."""
    return "\n".join([HEADING, "", *_commands(), *_common(), *_exit_codes()])


def _commands() -> Iterator[str]:
    common = {action.dest for action in options.common()._actions}
    for name, command in _subparsers(parser.build()).items():
        own = [action for action in command._actions if action.dest not in common]
        yield f"### `{_synopsis(name, own)}`"
        yield ""
        yield command.description or ""
        yield ""
        yield from _list(own)


def _common() -> Iterator[str]:
    yield "### Options of all commands"
    yield ""
    yield "Before or after the name of the command."
    yield ""
    yield from _list(options.common()._actions)


def _exit_codes() -> Iterator[str]:
    yield "### Exit codes"
    yield ""
    yield "| code | meaning |"
    yield "| ---: | --- |"
    for code, meaning in MEANINGS.items():
        yield f"| {code.value} | {meaning} |"
    yield ""


def _subparsers(whole: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """All commands by name, those of commands with commands of their own as ``network create``."""
    groups = [action for action in whole._actions if isinstance(action, argparse._SubParsersAction)]
    found: dict[str, argparse.ArgumentParser] = {}
    for name, command in (pair for group in groups for pair in group.choices.items()):
        inner = {f"{name} {below}": one for below, one in _subparsers(command).items()}
        found |= inner or {name: command}
    return found


def _synopsis(name: str, actions: list[argparse.Action]) -> str:
    return " ".join(["vif", name, *(_usage(action) for action in actions)])


def _usage(action: argparse.Action) -> str:
    value = _value(action)
    if action.option_strings:
        said = f"{action.option_strings[-1]} {value}".strip()
        return said if action.required else f"[{said}]"
    return {"?": f"[{value}]", "*": f"[{value}...]", "+": f"{value}..."}.get(str(action.nargs), value)


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest)


def _list(actions: list[argparse.Action]) -> Iterator[str]:
    for action in actions:
        names = ", ".join(f"`{f'{one} {_value(action)}'.strip()}`" for one in action.option_strings)
        yield f"- {names or f'`{_value(action)}`'}: {action.help}"
    if actions:
        yield ""


if __name__ == "__main__":
    print(markdown(), end="")
