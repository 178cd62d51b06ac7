# SPDX-License-Identifier: Apache-2.0
"""Every exit code, seen; and told in --help."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from os_vif.cli import exit_code
from os_vif.cli.exit_code import ExitCode
from support.vif_command import BRIDGE, ID_A, TAP, A, command, without_rights


def ok(netns, vif_inside, tmp_path):
    return vif_inside("plug", A).returncode


def failed(netns, vif_inside, tmp_path):
    netns.ip("link", "add", BRIDGE, "type", "veth", "peer", "name", "other")
    return vif_inside("plug", A).returncode


def usage(netns, vif_inside, tmp_path):
    return vif_inside("plug", "--no-such-option").returncode


def bad_input(netns, vif_inside, tmp_path):
    return vif_inside("plug", tmp_path / "none.json").returncode


def differs(netns, vif_inside, tmp_path):
    return vif_inside("check", A).returncode


def degraded(netns, vif_inside, tmp_path):
    vif_inside("plug", A)
    netns.ip("link", "add", TAP, "mtu", "1450", "type", "veth", "peer", "name", "inside", "mtu", "1450")
    netns.ip("link", "set", TAP, "master", BRIDGE, "up")
    netns.run(["bridge", "link", "set", "dev", TAP, "isolated", "on"])
    return vif_inside("check", A).returncode


def not_permitted(netns, vif_inside, tmp_path):
    return netns.run([*without_rights(), command(), "plug", A], check=False).returncode


def not_recorded(netns, vif_inside, tmp_path):
    return vif_inside("unplug", "--id", ID_A).returncode


def bug(netns, vif_inside, tmp_path):
    # A bug that is always there cannot be had; one is put in.
    code = "from os_vif.cli import main, recorded; recorded.all_records = lambda: 1 / 0; exit(main.main(['list']))"
    return netns.run([sys.executable, "-c", code], check=False).returncode


def interrupted(netns, vif_inside, tmp_path):
    return interrupt(tmp_path)[0]


def broken_pipe(netns, vif_inside, tmp_path):
    return into_a_closed_pipe("host-info")[0]


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (ExitCode.OK, ok),
        (ExitCode.FAILED, failed),
        (ExitCode.USAGE, usage),
        (ExitCode.BAD_INPUT, bad_input),
        (ExitCode.DIFFERS, differs),
        (ExitCode.NOT_PERMITTED, not_permitted),
        (ExitCode.NOT_RECORDED, not_recorded),
        (ExitCode.DEGRADED, degraded),
        (ExitCode.BUG, bug),
        (ExitCode.INTERRUPTED, interrupted),
        (ExitCode.BROKEN_PIPE, broken_pipe),
    ],
)
def test_exit_code(netns, vif_inside, tmp_path, code, cause):
    """What is told of a code is what it is used for."""
    assert cause(netns, vif_inside, tmp_path) == code


def test_every_code_is_tried_above_and_told_in_the_help(vif):
    """No code without a meaning, a test, and a line in --help."""
    tried = {args[0] for args in test_exit_code.pytestmark[0].args[1]}
    assert tried == set(ExitCode) == set(exit_code.MEANINGS)
    assert exit_code.table() in vif("--help").stdout


def test_without_rights_there_is_one_clear_error(netns):
    """No traceback: what may not be done, why, and what to do; the host is as it was."""
    before = netns.snapshot()
    refused = netns.run([*without_rights(), command(), "plug", A], check=False)
    first, hint = refused.stderr.splitlines()
    assert first.startswith(
        "error: Not permitted to change this host's network: this process is neither root nor holds CAP_NET_ADMIN"
    )
    assert hint == (
        "  hint: Run as root or with CAP_NET_ADMIN, or install oslo.privsep and configure its helper_command."
    )
    assert netns.snapshot() == before


@pytest.mark.parametrize("arguments", [("host-info",), ("host-info", "-o", "json"), ("--help",), ("plug", "--help")])
def test_a_broken_pipe_is_quiet(arguments):
    """`vif ... | head` ends without a word."""
    assert into_a_closed_pipe(*arguments) == (141, "")


def test_ctrl_c_is_told_in_a_line(tmp_path):
    """And that nothing is lost."""
    code, words = interrupt(tmp_path)
    assert (code, words.strip()) == (
        130,
        (
            "Interrupted. What was under way is in the journal: the same command goes on from here; "
            "`vif gc` removes what was left half done."
        ),
    )


def test_a_bug_shows_its_place_only_when_asked(netns):
    """Without -v a line and what to do, with -v the traceback too."""
    code = "import sys; from os_vif.cli import main, recorded; recorded.all_records = lambda: 1 / 0; "
    plain = netns.run([sys.executable, "-c", code + "main.main(['list'])"]).stderr
    assert plain.splitlines() == [
        "error: This should not happen: ZeroDivisionError: division by zero",
        "  hint: Run the same command with -v to see where, and report it with what that prints.",
    ]
    assert "Traceback" in netns.run([sys.executable, "-c", code + "main.main(['list', '-v'])"]).stderr


def interrupt(tmp_path):
    """Ctrl-C while the command reads a file that does not end."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    child = subprocess.Popen([command(), "plug", fifo], stderr=subprocess.PIPE, text=True)
    with fifo.open("w"):  # waits until the command has opened it
        child.send_signal(signal.SIGINT)
        _, words = child.communicate(timeout=120)
    return child.returncode, words


def into_a_closed_pipe(*arguments):
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [command(), *arguments], stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )
    os.close(writing)
    return ran.returncode, ran.stderr
