# SPDX-License-Identifier: Apache-2.0
"""Fast to start: what is loaded for which command, and how it is told what the command line means."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("oslo_config", "stevedore", "pyroute2", "sqlite3", "netaddr", "rich", "argcomplete", "logging", "subprocess")

CODE = """
import contextlib, io, json, sys
from os_vif.cli.main import main
with contextlib.redirect_stdout(io.StringIO()):
    main(sys.argv[1:])
print(json.dumps([name for name in {heavy!r} if name in sys.modules]))
"""


def loaded(*arguments):
    code = CODE.format(heavy=HEAVY)
    ran = subprocess.run(
        [sys.executable, "-I", "-c", code, *arguments], capture_output=True, text=True, check=True, env=os.environ
    )
    return set(json.loads(ran.stdout))


def test_help_loads_nothing_heavy():
    """--help needs the parser only."""
    assert loaded("--help") == set()
    assert loaded("plug", "--help") == set()


def test_list_loads_no_plugins():
    """Reading the journal needs neither oslo.config nor stevedore nor netaddr."""
    assert loaded("list") & {"oslo_config", "stevedore", "netaddr", "pyroute2", "rich"} == set()


def test_nothing_loads_pyroute2_or_rich_without_need():
    """Whatever is plugged, netlink is our own, and tables for a pipe need no rich."""
    assert loaded("host-info") & {"pyroute2", "rich", "argcomplete"} == set()


def test_version(vif):
    """The version of the package."""
    from importlib.metadata import version

    told = vif("--version")
    assert (told.returncode, told.stdout) == (0, f"vif (os-vif) {version('os-vif')}\n")


def test_without_a_command_there_is_help(vif):
    """And the exit code of a wrong command line."""
    told = vif()
    assert told.returncode == 2
    assert told.stdout.startswith("usage: vif ")


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (("plug",), "the following arguments are required: FILE", "`vif plug --help` shows what there is."),
        (("unplug",), "Either FILE or --id ID is needed.", "`vif unplug --help` shows both ways, `vif list` the ids."),
        (
            ("unplug", "x.json", "--id", "y"),
            "FILE and --id do not go together.",
            "`vif unplug --help` shows both ways, `vif list` the ids.",
        ),
        (("convert", "x.json", "--to", "1.0", "--to", "1.1"), "--to takes one plain version,", ""),
    ],
)
def test_a_wrong_command_line(vif, arguments, message, hint):
    """Exit code 2; the message, and where to look; as JSON when that was asked for."""
    told = vif(*arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(f"error: {message}")
    assert hint in told.stderr
    as_json = vif(*arguments, "--output", "json")
    error = json.loads(as_json.stdout)["error"]
    assert (as_json.returncode, error["code"], error["hint"]) == (2, "usage", hint)


def test_options_go_before_and_after_the_command(vif, tmp_path):
    """Wherever people write them."""
    before = vif("--output", "json", "--state-dir", tmp_path / "s", "list")
    after = vif("list", "--state-dir", tmp_path / "s", "--output", "json")
    assert (before.returncode, before.stdout) == (after.returncode, after.stdout) == (0, "[]\n")


def test_verbose_tells_more(vif):
    """-vv shows what the library logs."""
    assert vif("host-info").stderr == ""
    assert "debug: " in vif("-vv", "host-info").stderr
