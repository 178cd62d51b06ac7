# SPDX-License-Identifier: Apache-2.0
"""Runs a command beside an Open vSwitch of its own: `python with_switch.py DATAPATH PORTS -- COMMAND...`.

DATAPATH is "netdev" (userspace, real devices) or "dummy" (moves no packets; for switches with many ports). The bridge
br-int has PORTS ports before the command starts. The command finds the database by the variable OVSDB. Meant to be run
in network and process namespaces that end with it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
PORTS_PER_CALL = 250


def main() -> int:
    """Starts the switch, runs the command, and returns its exit status."""
    split = sys.argv.index("--")
    datapath, ports = sys.argv[1], int(sys.argv[2])
    directory = Path(tempfile.mkdtemp(prefix="os-vif-bench-"))
    environment = {**os.environ, "OVS_RUNDIR": str(directory), "OVS_LOGDIR": str(directory)}
    environment["OVSDB"] = f"unix:{directory}/db.sock"
    start(directory, datapath, environment)
    prepare(datapath, ports, environment)
    return subprocess.run(sys.argv[split + 1 :], env=environment, check=False).returncode


def start(directory: Path, datapath: str, environment: dict[str, str]) -> None:
    """Starts both daemons and waits until they work."""
    run(environment, "ip", "link", "set", "lo", "up")
    run(environment, "ovsdb-tool", "create", str(directory / "conf.db"), SCHEMA)
    daemon(environment, "ovsdb-server", str(directory / "conf.db"), f"--remote=p{environment['OVSDB']}")
    while not listens(str(directory / "db.sock")):
        time.sleep(0.01)
    run(environment, "ovs-vsctl", f"--db={environment['OVSDB']}", "--no-wait", "init")
    daemon(
        environment, "ovs-vswitchd", environment["OVSDB"], *(["--enable-dummy=system"] if datapath == "dummy" else [])
    )


def listens(path: str) -> bool:
    """Whether somebody takes connections there; the file comes first."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


def prepare(datapath: str, ports: int, environment: dict[str, str]) -> None:
    """Makes the bridge and its ports."""
    kind = "netdev" if datapath == "netdev" else "system"
    vsctl = ["ovs-vsctl", f"--db={environment['OVSDB']}"]
    run(environment, *vsctl, "add-br", "br-int", "--", "set", "Bridge", "br-int", f"datapath_type={kind}")
    for first in range(0, ports, PORTS_PER_CALL):
        words = []
        for number in range(first, min(first + PORTS_PER_CALL, ports)):
            words += [
                "--",
                "add-port",
                "br-int",
                f"old{number}",
                "--",
                "set",
                "Interface",
                f"old{number}",
                "type=dummy",
            ]
        run(environment, *vsctl, *words)


def daemon(environment: dict[str, str], *command: str) -> None:
    """Starts a program that goes on; it ends with the process namespace."""
    subprocess.Popen(
        [*command, "-vconsole:off", "--no-chdir"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def run(environment: dict[str, str], *command: str) -> None:
    """Runs a program to its end."""
    subprocess.run(command, env=environment, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
