# SPDX-License-Identifier: Apache-2.0
"""Runs commands on a state directory in whose databases one value is spoilt: ``DIRECTORY SEED COUNT SECONDS``.

Prints, as JSON, how many commands ended with which exit code, and the first that ended in an error which is not ours.
"""

from __future__ import annotations

import collections
import contextlib
import importlib
import io
import json
import os
import pkgutil
import shutil
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import os_vif
from fuzz.mutations import Mutator
from os_vif.cli.exit_code import ExitCode
from os_vif.cli.main import main

COMMANDS = (
    ["list"], ["list", "--output", "json"], ["check"], ["repair"], ["gc", "--dry-run"], ["journal", "verify"],
    ["attachments"], ["network", "list"], ["network", "ports"], ["network", "show", "blue"], ["restore"],
    ["attach", "vm1", "--hypervisor", "netns", "--endpoint", "none", "--network", "blue"],
    ["detach", "vm1", "--force"], ["unplug", "--id", "6d3ef0a5-0000-4c2d-0000-000000000001"], ["gc"],
    ["network", "delete", "blue"],
)  # fmt: skip


def run(directory: Path, seed: int, count: int, seconds: float) -> dict[str, Any]:
    """The result; ends with the first error that is not ours."""
    mutator, codes, whole = Mutator(seed), collections.Counter(), directory.with_name("whole")
    directory.rename(whole)
    number, end = 0, time.monotonic() + seconds
    while number < count or time.monotonic() < end:
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(whole, directory)
        what = spoil(directory, mutator)
        for command in COMMANDS:
            code, told = forked([*command, "--state-dir", str(directory)])
            codes[code] += 1
            if code == ExitCode.BUG:
                return {"input": number, "spoilt": what, "command": command, "told": told}
        number += 1
    return {"codes": codes}


def spoil(directory: Path, mutator: Mutator) -> str:
    """Puts something else into one value of one row, and tells what."""
    files = sorted(directory.glob("*.db"))
    with contextlib.closing(sqlite3.connect(mutator.one_of(files))) as database:
        names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        tables = [name for (name,) in database.execute(names) if database.execute(f"SELECT 1 FROM {name}").fetchone()]
        table = mutator.one_of(tables)
        rows = database.execute(f"SELECT * FROM {table}")
        columns = [column[0] for column in rows.description]
        row = mutator.one_of(rows.fetchall())
        column = mutator.one_of(columns)
        value = spoilt(row[columns.index(column)], mutator)
        this_one = " AND ".join(f"{name} IS ?" for name in columns)
        database.execute("PRAGMA ignore_check_constraints = 1")
        with contextlib.suppress(sqlite3.IntegrityError, OverflowError, UnicodeEncodeError):
            database.execute(f"UPDATE {table} SET {column} = ? WHERE {this_one}", (value, *row))
            database.commit()
    return f"{table}.{column}: {value!r:.300}"


def spoilt(value: Any, mutator: Mutator) -> Any:
    """JSON stays so, most of the time."""
    try:
        return mutator.json([json.loads(value)])
    except (TypeError, ValueError):
        made = mutator.value([[value]])
        made = made[0] if isinstance(made, list) and made else value
        return json.dumps(made) if isinstance(made, list | dict) else made


def forked(arguments: list[str]) -> tuple[int, str]:
    """The exit code of the command and what it printed; in a process of its own, which knows nothing of the others."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        text = io.StringIO()
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            code = main(arguments)
        with os.fdopen(writing, "w", errors="replace") as pipe:
            pipe.write(text.getvalue())
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading, errors="replace") as pipe:
        told = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), told


def import_all() -> None:
    """Commands import what they need, and each would do it again."""
    for module in pkgutil.walk_packages(os_vif.__path__, "os_vif."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)


if __name__ == "__main__":
    import_all()
    json.dump(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])), sys.stdout)
