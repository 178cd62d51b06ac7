# SPDX-License-Identifier: Apache-2.0
"""Every device is made with its MAC address, so that nobody changes it afterwards: neither the kernel nor udev."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from os_vif.host.access import kernel_operations
from os_vif.host.contract.operations import Operation
from support import missing

#: NET_ADDR_SET of linux/netdevice.h: somebody chose the address.
CHOSEN = 3


@pytest.fixture
def made(netns):
    """One device of each kind, and what is left to the kernel to choose."""
    netns.ip("link", "add", "eth9", "address", "02:00:00:00:00:09", "type", "veth", "peer", "name", "wire")
    operations = [
        Operation("link.add", {"name": "br0", "kind": "bridge"}),
        Operation("link.add", {"name": "veth1", "kind": "veth", "peer": "veth2"}),
        Operation("tap.add", {"name": "tap1"}),
        Operation("link.add", {"name": "mvt1", "kind": "macvtap", "parent": "eth9", "options": {"mode": "bridge"}}),
    ]
    with netns.enter():
        assert kernel_operations.run_own([operation.to_primitive() for operation in operations])[1:] == (0, "")
    return netns


DEVICES = ("br0", "veth1", "veth2", "tap1", "mvt1")


def assigned(namespace, device):
    """addr_assign_type of a device."""
    return int(namespace.run(["cat", f"/sys/class/net/{device}/addr_assign_type"]).stdout)


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_has_an_address_that_was_chosen(made, device):
    """A local one, of a single device."""
    assert assigned(made, device) == CHOSEN
    first = int(made.link(device)["address"][:2], 16)
    assert first & 3 == 2


def test_two_devices_do_not_have_the_same(made):
    """Chosen at random."""
    assert len({made.link(device)["address"] for device in DEVICES}) == len(DEVICES)


def test_a_bridge_keeps_its_address_as_ports_come_and_go(made):
    """The kernel would give it the lowest of its ports."""
    before = made.link("br0")["address"]
    made.ip("link", "add", "low", "address", "00:00:5e:00:53:01", "type", "veth", "peer", "name", "wire1")
    made.ip("link", "set", "low", "master", "br0")
    assert made.link("br0")["address"] == before


UDEVD = Path("/lib/systemd/systemd-udevd")

#: udevd as it runs on a host, with the rules and the policy of the distribution, in namespaces of its own: it changes
#: a bridge of somebody else's, then it meets ours, then it changes another one, and so has dealt with ours.
UNDER_UDEV = """
import json, os, pathlib, subprocess, sys, time
from os_vif.host.access import kernel_operations as kernel
from os_vif.host.kernel import rtnetlink

subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
pathlib.Path("/run/udev").mkdir()
udevd = subprocess.Popen([sys.argv[1]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def wait(condition):
    while not condition():
        time.sleep(0.05)

def theirs(name):
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    chosen = pathlib.Path("/sys/class/net", name, "addr_assign_type")
    wait(lambda: chosen.read_text() == "3\\n")  # by udevd

try:
    wait(pathlib.Path("/run/udev/control").exists)
    theirs("theirs1")
    made = kernel.run_own([
        ["link.add", {"name": "br0", "kind": "bridge"}],
        ["link.add", {"name": "veth1", "kind": "veth", "peer": "veth2"}],
        *(["tap.add", {"name": f"tap{number}"}] for number in range(10)),
    ])
    assert made[1:] == (0, ""), made
    ours = lambda: {link.name: link.mac for link in rtnetlink.all_links() if link.group}
    before = ours()
    theirs("theirs2")
    print(json.dumps([before, ours()]))
finally:
    udevd.terminate()
    udevd.wait()
"""


def test_udev_leaves_them_as_they_are(netns):
    """systemd-udevd gives a device that came without an address of its own another one; not those of ours."""
    if not UDEVD.exists():
        missing(f"{UDEVD} is not there: apt-get install udev")
    command = netns.python_command(UNDER_UDEV, UDEVD)
    before, after = json.loads(netns.run(["unshare", "--mount", *command]).stdout)
    assert len(before) == 13
    assert after == before
