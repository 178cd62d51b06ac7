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


def pages() -> dict[str, str]:
    """A page for each command, by its name, such as ``vif-network-create``: for `man`."""
    return {
        "-".join(["vif", *name.split()]): "\n".join(_page(name, command))
        for name, command in _subparsers(parser.build()).items()
    }


def summary_of(page: str) -> str:
    """The line below which `man` lists such a page."""
    commands = {"-".join(["vif", *name.split()]): command for name, command in _subparsers(parser.build()).items()}
    text = (commands[page].description or "").partition(". ")[0].partition(": ")[0].rstrip(".")
    return text[:1].lower() + text[1:]


def _page(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    own = _own(command)
    yield from (f"# vif {name}", "", "## Synopsis", "", f"`{_synopsis(name, own)}`", "")
    yield from ("## Description", "", command.description or "", "")
    if own:
        yield from ("## Arguments", "", *_list(own))
    yield from ("## Options of all commands", "", *_list(options.common()._actions))
    yield from ("## Exit codes", "", *(f"- `{code.value}`: {meaning}" for code, meaning in MEANINGS.items()), "")
    yield from ("## See also", "", "`vif`(1), which has examples", "")


def _own(command: argparse.ArgumentParser) -> list[argparse.Action]:
    common = {action.dest for action in options.common()._actions}
    return [action for action in command._actions if action.dest not in common]


def _commands() -> Iterator[str]:
    for name, command in _subparsers(parser.build()).items():
        own = _own(command)
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
