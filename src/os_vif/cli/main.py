# SPDX-License-Identifier: Apache-2.0
# PYTHON_ARGCOMPLETE_OK
"""The command ``vif``: parse, run, and tell what went wrong.

Start-up time counts here: commands import what they need when they run.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from os_vif import exception
from os_vif.cli import errors, options, parser
from os_vif.cli.errors import CommandError
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.output import Output


def main(argv: Sequence[str] | None = None) -> int:
    """Runs ``vif`` with these arguments (those of the process by default) and returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _main(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_stdout()
        code = ExitCode.BROKEN_PIPE
    return int(code)


def _main(arguments: list[str]) -> ExitCode:
    output = _output_for(arguments)
    try:
        return _parse_and_run(arguments)
    except KeyboardInterrupt:
        hint = "the same command goes on from here; `vif gc` removes what was left half done"
        print(f"\nInterrupted. What was under way is in the journal: {hint}.", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except CommandError as error:
        output.error(error)
        return error.exit_code
    except exception.ExceptionBase as error:
        told = errors.of_library(error)
        output.error(told)
        return told.exit_code
    except SystemExit as ended:  # --help and --version
        return ExitCode(int(ended.code or 0))
    except BrokenPipeError:
        raise
    except Exception as error:
        output.error(_bug(error, arguments))
        return ExitCode.BUG


def _parse_and_run(arguments: list[str]) -> ExitCode:
    whole = parser.build()
    if "_ARGCOMPLETE" in os.environ:
        from os_vif.cli import completing

        completing.answer(whole)
    chosen = whole.parse_args(arguments)
    options.fill_in(chosen)
    if not hasattr(chosen, "run"):
        whole.print_help()
        return ExitCode.USAGE
    output = Output(as_json=chosen.output == "json", color=not chosen.no_color, quiet=chosen.quiet)
    return ExitCode(chosen.run(chosen, output))


def _output_for(arguments: list[str]) -> Output:
    """How to tell of errors, also of those in the command line: as well as can be known before it is parsed."""
    pairs = zip(["", *arguments], arguments, strict=False)
    as_json = any(
        here in ("--output=json", "-ojson") or (before in ("--output", "-o") and here == "json")
        for before, here in pairs
    )
    return Output(as_json=as_json, color="--no-color" not in arguments)


def _bug(error: Exception, arguments: list[str]) -> CommandError:
    if {"-v", "-vv", "--verbose"} & set(arguments):
        import traceback

        traceback.print_exception(error)
    return CommandError(
        f"This should not happen: {type(error).__name__}: {error}",
        code="bug",
        exit_code=ExitCode.BUG,
        hint="Run the same command with -v to see where, and report it with what that prints.",
    )


def _let_go_of_stdout() -> None:
    """Whoever read our output is gone; what is still in the buffer must not raise when the interpreter ends."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
