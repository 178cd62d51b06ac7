# SPDX-License-Identifier: Apache-2.0
"""Measures this os-vif side by side with upstream's, in one run, and prints ratios.

`python bench/run.py [--rounds N] [--json FILE]`. Each round measures both, one after the other; what is shown is the
median of the rounds. Upstream 5.3.0 is the peer; for the Linux bridge, which 5.0.0 dropped, 4.3.0 is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SUBJECT = Path(__file__).with_name("subject.py")
OURS = ROOT / ".venv/bin/python"
PEER = ROOT / ".venv-upstream/bin/python"
LINUX_BRIDGE_PEER = ROOT / ".venv-upstream-430/bin/python"

#: What is started in there ends with it.
NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--")

#: What is aimed at, as a ratio to upstream.
AIMS = {
    "start: time": 0.25,
    "start: memory": 0.5,
    "linux bridge: plug": 0.5,
    "linux bridge: replug": 0.5,
    "linux bridge, filtering: plug": 0.5,
    "linux bridge, filtering: replug": 0.5,
    "ovs hybrid: plug": 0.4,
    "ovs hybrid: replug": 0.4,
    "ovs hybrid: unplug": 0.5,
    "ovs port and tap: plug": 0.4,
    "ovs port and tap: replug": 0.4,
    "ovs port and tap: unplug": 0.5,
    "ovs, 20 more on 1,000 ports: plug": 0.1,
    "ovs, 20 more on 1,000 ports: unplug": 0.1,
    "ovs, 50 from 16 threads: plug": 0.3,
    "ovs, 50 from 16 threads: unplug": 0.3,
}

#: Title → datapath, ports that the switch has already, and the subject's task.
OVS_TASKS: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "ovs hybrid": ("netdev", 0, ("ovs", "hybrid")),
    "ovs port and tap": ("netdev", 0, ("ovs", "tap")),
    "ovs, 20 more on 1,000 ports": ("dummy", 1000, ("ovs_many", "20")),
    "ovs, 50 from 16 threads": ("netdev", 0, ("ovs_threads", "50", "16")),
}

Figures = dict[str, list[float]]


def main() -> int:
    """Runs the rounds and shows the table. Exit status 0 whatever the figures are: they are figures, not tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    ours: Figures = {}
    theirs: Figures = {}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        measure_start(OURS, ours)
        measure_start(PEER, theirs)
        collect(ours, "objects", run(OURS, "codec"))
        collect(theirs, "objects", run(PEER, "codec"))
        measure_linux_bridge(ours, theirs)
        measure_ovs(ours, theirs)
    rows = [row(name, ours[name], theirs[name]) for name in ours if name in theirs]
    show(rows)
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")
    return 0


def measure_start(python: Path, figures: Figures) -> None:
    """A whole process: from nothing to initialized."""
    for _ in range(5):
        began = time.perf_counter()
        memory = run(python, "start")["rss"]
        figures.setdefault("start: time", []).append((time.perf_counter() - began) * 1e3)
        figures.setdefault("start: memory", []).append(memory)


def measure_linux_bridge(ours: Figures, theirs: Figures) -> None:
    """In a network namespace of its own each; needs root."""
    if os.geteuid() != 0:
        print("not root: the Linux bridge is left out", file=sys.stderr)
        return
    for filtering, title in (("plain", "linux bridge"), ("filtering", "linux bridge, filtering")):
        collect(ours, title, run_in_namespace(OURS, "linux_bridge", filtering))
        collect(theirs, title, run_in_namespace(LINUX_BRIDGE_PEER, "linux_bridge", filtering))


def measure_ovs(ours: Figures, theirs: Figures) -> None:
    """Beside a switch of its own each; needs root and Open vSwitch."""
    if os.geteuid() != 0 or not shutil.which("ovs-vswitchd"):
        print("not root, or no openvswitch-switch installed: Open vSwitch is left out", file=sys.stderr)
        return
    for title, (datapath, ports, task) in OVS_TASKS.items():
        switch = (sys.executable, str(Path(__file__).with_name("with_switch.py")), datapath, str(ports), "--")
        for python, figures in ((OURS, ours), (PEER, theirs)):
            collect(figures, title, run(python, *task, prefix=(*NAMESPACES, *switch)))


def collect(figures: Figures, title: str, found: dict[str, float]) -> None:
    """Adds the figures of one run under its title."""
    for name, value in found.items():
        figures.setdefault(f"{title}: {name}", []).append(value)


def run(python: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> dict[str, Any]:
    """Runs the subject in an environment, away from this machine's own state."""
    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "OS_VIF_STATE_DIR": state}
        command = [*prefix, str(python), "-W", "ignore", str(SUBJECT), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_in_namespace(python: Path, *arguments: str) -> dict[str, Any]:
    """The same, in a network namespace that is gone afterwards."""
    return run(python, *arguments, prefix=NAMESPACES)


def row(name: str, ours: list[float], theirs: list[float]) -> dict[str, Any]:
    """One line of the table."""
    mine, others = statistics.median(ours), statistics.median(theirs)
    return {"what": name, "ours": mine, "upstream": others, "ratio": mine / others, "aim": AIMS.get(name)}


def show(rows: list[dict[str, Any]]) -> None:
    """The table; times in milliseconds, memory in MiB."""
    print(f"{'':36}{'os-vif':>10}{'upstream':>10}{'ratio':>8}{'aim':>7}")
    for entry in rows:
        aim = "" if entry["aim"] is None else f"{entry['aim']:.2f}"
        print(f"{entry['what']:36}{entry['ours']:10.3f}{entry['upstream']:10.3f}{entry['ratio']:8.3f}{aim:>7}")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {"python": platform.python_version(), "kernel": platform.release(), "cores": os.cpu_count()}


if __name__ == "__main__":
    sys.exit(main())
