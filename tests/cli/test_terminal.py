# SPDX-License-Identifier: Apache-2.0
"""What people see on a terminal, and what they see without one."""

from __future__ import annotations

import json
import os
import pty
import re
import sys

import pytest

from support import require
from support.vif_command import BRIDGE, ID_A, A, command, noop_vifs


def on_terminal(netns, *arguments, env=None):
    """What the command prints when all it has is a terminal of 100 columns."""
    leader, follower = pty.openpty()
    child = netns.popen(
        [command(), *map(str, arguments)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "COLUMNS": "100", **(env or {})},
    )
    os.close(follower)
    seen = b""
    while True:
        try:
            more = os.read(leader, 4096)
        except OSError:  # nobody has the other end any more
            break
        if not more:
            break
        seen += more
    os.close(leader)
    child.wait(30)
    return seen.decode().replace("\r\n", "\n")


def test_tables_have_colours_and_lines(netns, vif_inside):
    """With rich, a table on a terminal is drawn; a pipe gets aligned columns."""
    require(module="rich", package="'os-vif[cli]'")
    vif_inside("plug", A)
    seen = on_terminal(netns, "list")
    assert "─────" in seen
    assert "\033[32mplugged" in seen
    assert "\033" not in vif_inside("list").stdout


def test_a_narrow_terminal_has_short_uuids(netns, vif_inside):
    """A line for each VIF on 80 columns. The rest of the UUID is enough for `vif show`; a pipe has all of it."""
    require(module="rich", package="'os-vif[cli]'")
    vif_inside("plug", A)
    *_, line = on_terminal(netns, "--no-color", "list", env={"COLUMNS": "80"}).strip().splitlines()
    device, plugin, status, *_, short = line.split()
    assert (device, plugin, status, short) == ("tap4c9f2e6a-1d", "linux_bridge", "plugged", ID_A[:8])
    assert vif_inside("show", short).returncode == 0
    assert ID_A in vif_inside("list").stdout


def test_lines_are_broken_between_words_or_not_at_all(netns, vif_inside):
    """Device names, addresses and bridges can be copied from every terminal, however narrow."""
    require(module="rich", package="'os-vif[cli]'")
    vif_inside("network", "create", "blue", "--cidr", "192.0.2.0/24")
    attach = ("attach", "guest1", "--network", "blue", "--hypervisor", "qemu", "-o", "json")
    (told,) = [json.loads(vif_inside(*attach).stdout)]
    words = [told["device"], told["mac_address"], *told["ip_addresses"]]
    for columns in ("80", "60", "40"):
        seen = re.sub(r"\033\[\d*m", "", on_terminal(netns, "attachments", env={"COLUMNS": columns}))
        assert [word for word in words if word in seen.split()] == words
        assert max(map(len, seen.splitlines())) <= max(int(columns), 60)


@pytest.mark.parametrize(("options", "env"), [(["--no-color"], {}), ([], {"NO_COLOR": "1"})])
def test_no_colours_when_they_are_not_wanted(netns, vif_inside, options, env):
    """--no-color and NO_COLOR: no colour in tables, lines and errors."""
    vif_inside("plug", A)
    netns.ip("link", "set", BRIDGE, "down")
    for arguments in (["list"], ["check"], ["plug", "none.json"]):
        assert "\033[3" not in on_terminal(netns, *arguments, *options, env=env)
        assert "\033[3" in on_terminal(netns, *arguments)


def test_without_rich_there_are_plain_tables(netns, vif_inside, tmp_path):
    """rich is an extra; without it a terminal gets what a pipe gets."""
    (tmp_path / "rich.py").write_text("raise ImportError('not installed')\n")
    vif_inside("plug", A)
    seen = on_terminal(netns, "list", env={"PYTHONPATH": str(tmp_path)})
    assert seen == vif_inside("list").stdout


def test_many_vifs_have_a_progress_bar(netns, write):
    """On a terminal, a bar that goes to the end."""
    require(module="rich", package="'os-vif[cli]'")
    seen = on_terminal(netns, "-v", "plug", write(noop_vifs(120)))
    assert "plugging" in seen
    assert "120/120" in seen
    assert "━" in seen


def test_many_vifs_without_a_terminal_have_lines(vif_inside, write):
    """On stderr, so that the result is JSON and nothing else."""
    plugged = vif_inside("plug", write(noop_vifs(120)), "-o", "json")
    assert plugged.stderr.splitlines() == ["plugging: 50 of 120", "plugging: 100 of 120", "plugging: 120 of 120"]
    assert len(json.loads(plugged.stdout)["vifs"]) == 120
    checked = vif_inside("check", "-q")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_few_vifs_have_no_progress(vif_inside, write):
    """Nobody could read it."""
    assert vif_inside("plug", write(noop_vifs(3))).stderr == ""


def test_a_dumb_terminal_gets_plain_text(netns, vif_inside):
    """TERM=dumb, as in an editor's window."""
    vif_inside("plug", A)
    assert "\033" not in on_terminal(netns, "list", env={"TERM": "dumb"})


def test_commands_work_together(netns, vif_inside):
    """What list prints, another program picks from, and gc keeps."""
    vif_inside("plug", A)
    pick = "import json, sys; print(*[one['vif_id'] for one in json.load(sys.stdin)])"
    pipeline = f'{command()} list -o json | {sys.executable} -c "{pick}" | {command()} gc --keep -'
    assert netns.run(["bash", "-c", pipeline]).stdout == "Nothing to remove.\n"
