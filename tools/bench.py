# SPDX-License-Identifier: Apache-2.0
"""Side by side with what we replace, in one run on one machine: `make bench`.

Start-up is compared with upstream 5.3.0, the Linux bridge with upstream 4.3.0, the last that has it. All sides run
the same code, in turns, so that whatever else the machine does hits all alike; what counts are the ratios. Upstream's
privileged steps run in its own process: without the detour over a daemon, in its favour.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
OURS = REPOSITORY / ".venv" / "bin" / "python"
UPSTREAM = REPOSITORY / ".venv-upstream" / "bin" / "python"
UPSTREAM_BRIDGE = REPOSITORY / ".venv-upstream-430" / "bin" / "python"

START_UP = """
import json, resource, sys, time
started = time.perf_counter()
import os_vif
os_vif.initialize()
seconds = time.perf_counter() - started
resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"seconds": seconds, "KiB": resident, "modules": len(sys.modules)}))
"""

BRIDGE = """
import json, os, sys, time, uuid
import os_vif
from os_vif import objects
from vif_plug_linux_bridge import privsep
privsep.vif_plug.set_client_mode(False)
os_vif.initialize()
instance = objects.instance_info.InstanceInfo(uuid=str(uuid.uuid4()), name="bench")

def vif_number(number):
    network = objects.network.Network(
        id=str(uuid.UUID(int=1)), bridge="br-bench", bridge_interface=None, mtu=1500,
        should_provide_bridge=True, should_provide_vlan=False,
    )
    return objects.vif.VIFBridge(
        id=str(uuid.UUID(int=1000 + number)), address="02:00:00:00:00:%02x" % number, vif_name="tapbench%d" % number,
        bridge_name="br-bench", has_traffic_filtering=True, network=network, plugin="linux_bridge",
    )

def timed(action, vifs):
    started = time.perf_counter()
    for vif in vifs:
        action(vif, instance)
    return (time.perf_counter() - started) / len(vifs)

vifs = [vif_number(number) for number in range(int(sys.argv[1]))]
first = timed(os_vif.plug, vifs[:1])
plug = timed(os_vif.plug, vifs[1:])
replug = timed(os_vif.plug, vifs)
unplug = timed(os_vif.unplug, vifs)
print(json.dumps({"first plug": first, "plug": plug, "unchanged re-plug": replug, "unplug": unplug}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares speed and size with upstream os-vif.")
    parser.add_argument("--rounds", type=int, default=9, help="how often each side is measured (9)")
    parser.add_argument("--vifs", type=int, default=20, help="VIFs on the bridge (20)")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    options = parser.parse_args()

    results = {"start-up, beside 5.3.0": _compare(START_UP, UPSTREAM, options.rounds, ())}
    if os.geteuid() == 0:
        vifs = (str(options.vifs),)
        results["Linux bridge, beside 4.3.0"] = _compare(BRIDGE, UPSTREAM_BRIDGE, options.rounds, vifs)
    else:
        print("The Linux bridge is measured as root only.", file=sys.stderr)

    if options.output == "json":
        print(json.dumps(results, indent=2))
        return 0
    for title, measures in results.items():
        print(f"\n{title:34}{'ours':>12}{'upstream':>12}{'ratio':>8}")
        for measure, row in measures.items():
            print(f"  {measure:32}{_show(row['ours'], measure):>12}{_show(row['upstream'], measure):>12}", end="")
            print(f"{row['ratio']:>8.2f}")
    return 0


def _compare(code: str, upstream: Path, rounds: int, arguments: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """The median of every measure of both sides, and ours through theirs."""
    measured: dict[str, list[dict[str, float]]] = {"ours": [], "upstream": []}
    for _ in range(rounds):
        for side, python in (("ours", OURS), ("upstream", upstream)):
            measured[side].append(_run(python, code, arguments))
    table = {}
    for measure in measured["ours"][0]:
        row = {side: statistics.median(run[measure] for run in runs) for side, runs in measured.items()}
        table[measure] = {**row, "ratio": row["ours"] / row["upstream"]}
    return table


def _run(python: Path, code: str, arguments: tuple[str, ...]) -> dict[str, float]:
    """One measurement, in a network namespace that goes with the process, and without a journal from before."""
    command = [str(python), "-I", "-W", "ignore", "-c", code, *arguments]
    if os.geteuid() == 0:
        script = 'state=$(mktemp -d); trap "rm -rf $state" EXIT; OS_VIF_STATE_DIR=$state OSLO_LOCK_PATH=$state "$@"'
        command = ["unshare", "--net", "--mount", "sh", "-c", f"mount -t sysfs sysfs /sys; {script}", "sh", *command]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise SystemExit(f"{python} failed:\n{ran.stderr}")
    return json.loads(ran.stdout)


def _show(value: float, measure: str) -> str:
    return f"{value:,.0f}" if measure in ("KiB", "modules") else f"{value * 1000:.2f} ms"


if __name__ == "__main__":
    sys.exit(main())
