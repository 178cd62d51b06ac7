# SPDX-License-Identifier: Apache-2.0
"""How the command ends. Scripts rely on these numbers; docs/cli.md and ``vif --help`` tell of them from here."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """What the exit code of ``vif`` says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    BAD_INPUT = 3
    DIFFERS = 4
    NOT_PERMITTED = 5
    NOT_RECORDED = 6
    DEGRADED = 7
    BUG = 70
    INTERRUPTED = 130
    BROKEN_PIPE = 141


MEANINGS = {
    ExitCode.OK: "done, or nothing to do",
    ExitCode.FAILED: "the host refused, or something failed; the message says what and where",
    ExitCode.USAGE: "the command line is wrong",
    ExitCode.BAD_INPUT: "a file holds what cannot be read or used; the host was not touched",
    ExitCode.DIFFERS: "`vif check` found differences, or `vif repair` left some; or the journal has lost records",
    ExitCode.NOT_PERMITTED: "this user may not do that",
    ExitCode.NOT_RECORDED: "no VIF of that id is recorded here",
    ExitCode.DEGRADED: "all is as asked for, and a guest is cut off, or likely so, by what is not os-vif's to change",
    ExitCode.BUG: "a bug in vif; -v shows where",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.BROKEN_PIPE: "whoever read the output went away",
}


def table() -> str:
    """The exit codes, a line each."""
    return "\n".join(f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items())
