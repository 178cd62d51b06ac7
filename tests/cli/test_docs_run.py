# SPDX-License-Identifier: Apache-2.0
"""The how-tos work: every command in them is run, in order, as it is printed, on a host that has what they speak of."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support import vifs
from support.guest.small import Guest
from support.parts import require_tun
from support.vif_command import ID_A, A, command

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINE = re.compile(r"^ {4}(?:(source|destination)# +)?(?:sudo )?(vif .*|ip netns exec .*)$", re.M)

#: What ends with another code than 0, and why that is right.
EXIT_CODES = {"vif network delete blue    # refused while there are ports": 1}

#: What is not run here, and where it is.
LEFT_OUT = {
    "vif demo": "tests/cli/test_demo.py",
    "--hypervisor libvirt": "tests/hypervisors/libvirt, which has one; tests/cli/test_guests_of_libvirt.py",
    "--endpoint /run/guest1.sock": "tests/hypervisors/cloud_hypervisor: no distribution has it",
    "| jq": "the command before it is run by the line above it",
}

AGAIN = ("source", "vif attach guest1 --network blue --hypervisor qemu")
ANEW = ("destination", "vif detach guest1 --network blue")
PLUGGED = ("source", "vif plug port.json")

#: What the text says between two commands, or what has come about by the time that somebody needs the second.
BEFORE = {
    ("attaching", "vif migrate prepare"): [AGAIN],
    ("attaching", "vif detach guest1 --network blue --force"): [ANEW, AGAIN],
    ("networks", "vif network create blue --cidr 192.168.77.0/24 --dhcp"): [
        ("source", "vif detach guest1 --network blue && vif network delete blue")
    ],
    ("hypervisors", "vif attach guest1 --network blue --hypervisor qemu --hot"): [
        ("source", "vif detach guest1 --network blue")
    ],
    ("hypervisors", "vif migrate prepare"): [AGAIN],
    ("hypervisors", "vif attach guest1 --network blue --hypervisor cloud_hypervisor --vcpus"): [ANEW],
    ("hypervisors", "vif attach web"): [
        ("source", "vif detach guest1 && vif network delete blue"),
        ("source", "vif network create blue --cidr 192.168.77.0/24 --gateway 192.168.77.1"),
    ],
    ("operating", "vif gc --keep"): [PLUGGED, ("source", "vif list -o json | grep -o '[0-9a-f-]\\{36\\}' >ids.txt")],
    ("../README", "vif show VIF"): [("source", "vif plug request.json")],
    ("cli", "vif show 4c9f  "): [PLUGGED],
    ("cli", "vif migrate prepare"): [("destination", AGAIN[1])],
    ("cli", "vif migrate abort"): [
        ("source", "vif detach guest1"),
        ("source", "vif migrate prepare guest1 --hypervisor qemu --network blue"),
    ],
    ("cli", "vif gc --keep"): [PLUGGED, ("source", "echo 4c9f2e6a-1d3b-4b8e-9a57-6f0c2d8e1b34 >ids-that-are-needed")],
    ("cli", "vif plug port.json --config-file"): [("source", "touch nova.conf")],
    ("cli", "vif completion fish"): [("source", "mkdir -p ~/.config/fish/completions")],
}

#: Others are run where there is what they need: docs/tutorial.md by tests/cli/test_tutorial.py, docs/libvirt.md by
#: tests/hypervisors/libvirt/test_docs.py, docs/neutron-client.md by tests/networks_neutron/test_command.py.
PAGES = ["../README", "attaching", "networks", "hypervisors", "operating", "cli", "nova", "install"]


def lines(page):
    text = (DOCS / f"{page}.md").read_text().partition("\n## Reference")[0]
    found = [(host or "source", line) for host, line in LINE.findall(text)]
    return [one for one in found if not any(part in one[1] for part in LEFT_OUT)]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page(page, new_netns, tmp_path):
    """In the order in which they are there."""
    world = World(new_netns, tmp_path)
    failed = []
    for host, line in lines(page):
        first = next((what for (where, start), what in BEFORE.items() if where == page and line.startswith(start)), [])
        for there, command_line in [*first, (host, line)]:
            code, told = world.run(there, command_line)
            expected = next((code for start, code in EXIT_CODES.items() if line.startswith(start)), 0)
            if code != expected:
                failed.append(f"{there}# {command_line}\n  exit code {code}: {told}")
    world.close()
    assert not failed, "\n".join(failed)


class World:
    """Two hosts that see the same networks."""

    def __init__(self, new_netns, directory):
        require_tun()
        self._guests = contextlib.ExitStack()
        self.spaces = {name: new_netns() for name in ("source", "destination")}
        self.directory = directory
        for name, ns in self.spaces.items():
            (directory / name).mkdir()
            (directory / name / "os-vif.conf").write_text(
                f"[os_vif]\nhost = {name}\n[os_vif_network_local]\ndatabase = {directory}/networks.db\n"
            )
            ns.ip("link", "add", "eth1", "type", "veth", "peer", "name", "wire")
            ns.ip("link", "set", "eth1", "up")
        for name in ("port", "request"):
            shutil.copy(A, directory / f"{name}.json")
        (directory / "ids.txt").write_text("")
        (directory / "ids-that-are-needed").write_text("")
        (directory / "network.json").write_text(json.dumps(vifs.bridge("br0").network.obj_to_primitive()))

    def run(self, host, line):
        line = re.sub(r"/(run|etc/nova)/", f"{self.directory}/", line)
        environment = {
            **os.environ,
            "HOME": str(self.directory),
            "PATH": f"{Path(command()).parent}:{os.environ['PATH']}",
            "OS_VIF_CONFIG_DIR": str(self.directory / host),
            "OS_VIF_STATE_DIR": str(self.directory / host / "state"),
        }
        if monitor := re.search(r"\S+\.qmp", line):
            self._boot(host, Path(monitor[0]))
        # Namespaces that the command makes are to be seen by the next, which those of `ip netns exec` are not.
        inside = ["nsenter", f"--net=/run/netns/{self.spaces[host].name}", "bash", "-c"]
        script = re.sub(r"\bping ", "ping -c 1 -W 10 ", f"cd {self.directory}; {line}").replace(" VIF ", f" {ID_A} ")
        done = subprocess.run(
            [*inside, script], capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL
        )
        return done.returncode, f"{done.stdout}{done.stderr}"

    def _boot(self, host, monitor):
        """A guest with room for a card, whose monitor is where the text says."""
        port = ["-device", "pcie-root-port,id=port1,chassis=1"]
        guest = self._guests.enter_context(Guest(self.spaces[host], port))
        guest.wait()
        monitor.unlink(missing_ok=True)
        monitor.symlink_to(guest.qmp)
        self._guests.callback(monitor.unlink)

    def close(self):
        self._guests.close()
