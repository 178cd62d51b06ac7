# SPDX-License-Identifier: Apache-2.0
"""Measures this os-vif side by side with upstream's, and with the floor, in one run, and prints ratios.

`python bench/run.py [--rounds N] [--json FILE]`. Each round measures all, one after the other; what is shown is the
median of the rounds. Upstream 5.3.0 is the peer; for the Linux bridge, which 5.0.0 dropped, 4.3.0 is. The floor is what
the kernel and Open vSwitch alone take for the same, asked for by hand (floor.py).
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SUBJECT = Path(__file__).with_name("subject.py")
FLOOR = Path(__file__).with_name("floor.py")
OURS = ROOT / ".venv/bin/python"
PEER = ROOT / ".venv-upstream/bin/python"
LINUX_BRIDGE_PEER = ROOT / ".venv-upstream-430/bin/python"

#: What is started in there ends with it.
NAMESPACES = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--")

#: What is aimed at, as a ratio to upstream.
AIMS = {
    "start: time": 0.25,
    "start: memory": 0.5,
    "linux bridge: plug": 0.4,
    "linux bridge: replug": 0.4,
    "linux bridge, filtering: plug": 0.4,
    "linux bridge, filtering: replug": 0.4,
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

#: Those of which there is a floor.
WITH_FLOOR = ("ovs hybrid", "ovs port and tap")

Figures = dict[str, list[float]]


@dataclass
class Measured:
    """Figures by name: ours, upstream's, and the floor's."""

    ours: Figures = field(default_factory=dict)
    theirs: Figures = field(default_factory=dict)
    floor: Figures = field(default_factory=dict)


def main() -> int:
    """Runs the rounds and shows the table. Exit status 0 whatever the figures are: they are figures, not tests."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    # As pip does with what it installs, upstream's included; a checkout is compiled at its first start, if at all.
    compileall.compile_dir(ROOT / "src", quiet=1)
    all_of_it = Measured()
    ours, theirs = all_of_it.ours, all_of_it.theirs
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        measure_start(OURS, ours)
        measure_start(PEER, theirs)
        collect(ours, "objects", run(OURS, "codec"))
        collect(theirs, "objects", run(PEER, "codec"))
        measure_linux_bridge(all_of_it)
        measure_ovs(all_of_it)
    rows = [row(name, all_of_it) for name in ours if name in theirs]
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


def measure_linux_bridge(measured: Measured) -> None:
    """In a network namespace of its own each; needs root."""
    if os.geteuid() != 0:
        print("not root: the Linux bridge is left out", file=sys.stderr)
        return
    for filtering, title in (("plain", "linux bridge"), ("filtering", "linux bridge, filtering")):
        collect(measured.ours, title, run(OURS, "linux_bridge", filtering, prefix=NAMESPACES))
        collect(measured.theirs, title, run(LINUX_BRIDGE_PEER, "linux_bridge", filtering, prefix=NAMESPACES))
    collect(measured.floor, "linux bridge", run(OURS, "linux_bridge", script=FLOOR, prefix=NAMESPACES))


def measure_ovs(measured: Measured) -> None:
    """Beside a switch of its own each; needs root and Open vSwitch."""
    if os.geteuid() != 0 or not shutil.which("ovs-vswitchd"):
        print("not root, or no openvswitch-switch installed: Open vSwitch is left out", file=sys.stderr)
        return
    for title, (datapath, ports, task) in OVS_TASKS.items():
        switch = (sys.executable, str(Path(__file__).with_name("with_switch.py")), datapath, str(ports), "--")
        beside = (*NAMESPACES, *switch)
        collect(measured.ours, title, run(OURS, *task, prefix=beside))
        collect(measured.theirs, title, run(PEER, *task, prefix=beside))
        if title in WITH_FLOOR:
            collect(measured.floor, title, run(OURS, *task, script=FLOOR, prefix=beside))


def collect(figures: Figures, title: str, found: dict[str, float]) -> None:
    """Adds the figures of one run under its title."""
    for name, value in found.items():
        figures.setdefault(f"{title}: {name}", []).append(value)


def run(python: Path, *arguments: str, script: Path = SUBJECT, prefix: tuple[str, ...] = ()) -> dict[str, Any]:
    """Runs the subject, or the floor, in an environment, away from this machine's own state."""
    with tempfile.TemporaryDirectory() as state:
        environment = {**os.environ, "OS_VIF_STATE_DIR": state}
        command = [*prefix, str(python), "-W", "ignore", str(script), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def row(name: str, measured: Measured) -> dict[str, Any]:
    """One line of the table."""
    mine, others = statistics.median(measured.ours[name]), statistics.median(measured.theirs[name])
    line = {"what": name, "ours": mine, "upstream": others, "ratio": mine / others, "aim": AIMS.get(name)}
    if name in measured.floor:
        floor = statistics.median(measured.floor[name])
        line |= {"floor": floor, "ours/floor": mine / floor}
    return line


def show(rows: list[dict[str, Any]]) -> None:
    """The table; times in milliseconds, memory in MiB."""
    print(f"{'':36}{'os-vif':>10}{'upstream':>10}{'ratio':>10}{'aim':>7}{'floor':>10}{'ours/floor':>12}")
    for line in rows:
        aim = "" if line["aim"] is None else f"{line['aim']:.2f}"
        text = f"{line['what']:36}{line['ours']:10.3f}{line['upstream']:10.3f}{line['ratio']:10.3f}{aim:>7}"
        print(text + (f"{line['floor']:10.3f}{line['ours/floor']:12.2f}" if "floor" in line else ""))


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {"python": platform.python_version(), "kernel": platform.release(), "cores": os.cpu_count()}


if __name__ == "__main__":
    sys.exit(main())
