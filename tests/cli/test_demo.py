# SPDX-License-Identifier: Apache-2.0
"""The demo: it plays to the end, says so where it cannot, and never leaves anything."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from support import require
from support.vif_command import BRIDGE, CHAIN, command, without_rights

ACTS = [
    "Two VIFs, serialized as Nova serializes them",
    "vif plan: what plugging them would do",
    "vif plug: both at once",
    "Two guests attach, as a hypervisor attaches a tap",
    "ping guest-a → guest-b",
    "vif check: is the host as the VIFs need it?",
    "Somebody breaks it behind our back",
    "vif check: is the host as the VIFs need it?",
    "vif repair: only what is missing",
    "ping guest-a → guest-b",
    "The guests are gone; vif unplug",
    "What is left?",
    "vif network create blue: a network for two hosts",
    "vif explain: what would a guest get here, and why?",
    "vif attach: guests a and b, on host-one",
    "ping b → a",
    "vif migrate: guest a moves to host-two, while b pings it",
    "vif detach, vif network delete: what is left?",
]


@pytest.fixture(autouse=True)
def _programs():
    require("ping", "iputils-ping")
    require("iptables", "iptables")


def test_it_plays_to_the_end(netns, vif_inside):
    """Every act, with what it shows; the host that it was started on stays as it was."""
    before = netns.snapshot()
    told = json.loads(vif_inside("demo", "-o", "json").stdout)
    acts = told["acts"]
    assert told["played"] is True
    assert [act["act"] for act in acts] == ACTS
    assert acts[4]["lines"][0].startswith("3 of 3 answered, ")
    assert acts[5]["lines"] == ["tap4c9f2e6a-1d ok", "tapb7d08a15-93 ok"]
    assert acts[6]["lines"][-1] == "0 of 3 answered"
    broken = [f"bring {BRIDGE} up", f"write 2 forwarding rules into ipv4 chain {CHAIN}"]
    assert acts[7]["lines"][2:] == [f"not done: {step}" for step in broken]
    assert acts[8]["lines"] == [*(f"{n}. {step}" for n, step in enumerate(broken, 1)), "as it was before"]
    assert acts[9]["lines"][0].startswith("3 of 3 answered, ")
    assert acts[11]["lines"] == ["ip link: lo", "iptables: 0 rules of ours", "vif list: 0 records"]
    assert acts[13]["lines"][0] == "bridge: chosen. VIFBridge 1.0; the hypervisor makes the device"
    assert acts[15]["lines"] == ["3 of 3 answered"]
    assert acts[17]["lines"] == ["0 ports, 0 devices"]
    assert all(act["milliseconds"] > 0 for act in acts[1:11] + acts[12:])
    assert netns.snapshot() == before
    assert json.loads(vif_inside("list", "-o", "json").stdout) == []


def test_it_reads_well_without_a_terminal(netns, vif_inside):
    """Numbered acts, each with its time, no escape sequences, no line too long."""
    shown = vif_inside("demo")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "\033" not in shown.stdout
    lines = shown.stdout.splitlines()
    assert lines[0] == "vif demo"
    assert [line.split("─")[0].strip()[3:].strip() for line in lines if "───" in line] == ACTS
    assert max(len(line) for line in lines) == 100
    assert sum(line.endswith(" ms") for line in lines) == 16


def test_it_needs_no_root(netns):
    """Who is not root plays it in a user namespace."""
    shown = netns.run([*without_rights(), "--map-group=1000", command(), "demo", "-o", "json"])
    told = json.loads(shown.stdout)
    assert told["played"] is True
    assert told["acts"][-1]["lines"] == ["0 ports, 0 devices"]


def test_where_namespaces_are_not_permitted_it_shows_the_plans(netns):
    """It says so, says what would help, shows the plan, and ends well."""
    # Whose group nobody knows in a user namespace cannot make another one inside.
    shown = netns.run([*without_rights(), command(), "demo"])
    lines = shown.stdout.splitlines()
    assert lines[:2] == ["vif demo", "The plans only: on an imagined host, nothing is changed."]
    assert lines[2].startswith("Network namespaces cannot be made here: ")
    assert lines[2].endswith("Run it as root: sudo vif demo.")
    assert f"    1. create bridge {BRIDGE}" in lines


def test_where_a_program_is_missing_it_says_which(netns):
    """The Debian packages, in a line that can be copied."""
    without = "from os_vif.cli.demo import stage; stage._PROGRAMS['nothing-like-it'] = 'some-package'; "
    run = "from os_vif.cli.main import main; raise SystemExit(main(['demo']))"
    shown = netns.run([sys.executable, "-c", without + run])
    assert shown.returncode == 0
    assert shown.stdout.splitlines()[2] == "Not installed: some-package. sudo apt-get install some-package"


def _files():
    """What there is of ours that is gone with a reboot only."""
    return sorted(Path("/run").glob("os-vif*/**/*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_leaves_nothing_when_it_is_stopped(netns, number, tmp_path):
    """Ctrl-C, a polite and an impolite kill in the middle: no process, no namespace, no file is left."""
    before, files = netns.snapshot(), _files()
    log = tmp_path / "log"
    with log.open("w") as file:
        child = netns.popen([command(), "demo"], stdout=file, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    _wait_for(lambda: "ping guest-a" in log.read_text())
    inode = Path(f"/proc/{child.pid}/ns/net").stat().st_ino
    child.send_signal(number)
    assert child.wait(30) == (130 if number == signal.SIGINT else -number)
    _wait_for(lambda: inode not in _inodes())
    assert netns.snapshot() == before
    assert _files() == files


def test_examples_are_what_is_installed():
    """examples/ shows the files that the demo reads, and no copies of them."""
    from importlib import resources

    installed = resources.files("os_vif.cli.demo")
    for name in ("guest-a.json", "guest-b.json"):
        shown = Path(__file__).resolve().parents[2] / "examples" / name
        assert shown.is_symlink()
        assert shown.read_text() == installed.joinpath(name).read_text()


def _inodes():
    """The network namespaces of all processes."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found.add((process / "ns/net").stat().st_ino)
        except OSError:  # gone meanwhile
            continue
    return found


def _wait_for(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "waited for too long"
        time.sleep(0.01)
