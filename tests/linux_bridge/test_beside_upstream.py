# SPDX-License-Identifier: Apache-2.0
"""Hosts are upgraded in place, from os-vif 4.3.0, the last upstream with a Linux bridge plugin, and back again.

Upstream 4.3.0 removes nothing when it unplugs: the bridge stays, and so do its forwarding rules. Neither is ours, then.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from support import differences, missing, vifs

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = REPOSITORY / ".venv-upstream-430" / "bin" / "python"
PROCESS = REPOSITORY / "tests" / "support" / "ovs_upstream.py"

ALONE = {"mtu": 1450, "bridge_interface": None}
JOINED = {"mtu": 1450, "bridge_interface": "eth9"}

#: Network, options, and how many chains of rules there are.
CASES = {
    "a bridge alone": (ALONE, {}, 2),
    "an MTU of the options": ({"bridge_interface": None}, {"network_device_mtu": 1400}, 2),
    "an interface with addresses and routes": (JOINED, {}, 2),
    "IPv6 rules": (JOINED, {"use_ipv6": True}, 2),
    "no IPv6 rules": (JOINED, {"use_ipv6": False}, 1),
    "an interface of the options": (ALONE, {"flat_interface": "eth9"}, 2),
    "forwarding for one interface": (JOINED, {"forward_bridge_interface": ["eth9"]}, 2),
}


class Upstream:
    """Upstream os-vif 4.3.0, in a namespace."""

    def __init__(self, namespace, directory, options):
        self._options = options
        self._process = namespace.popen(
            [PYTHON, "-P", "-W", "ignore", PROCESS, "linux_bridge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "OSLO_LOCK_PATH": str(directory)},
        )

    def plug(self, vif):
        self._do("plug", vif)

    def unplug(self, vif):
        self._do("unplug", vif)

    def _do(self, action, vif):
        request = [self._options, action, vif.obj_to_primitive(), vifs.INSTANCE.obj_to_primitive()]
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "upstream has ended"
        assert json.loads(answer) is None, answer

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request, netns, wire, new_host, tmp_path):
    """A host, upstream on it, a VIF, and the number of its chains. The host's own address is on the interface eth9."""
    if not PYTHON.exists():
        missing(f"upstream os-vif 4.3.0 is not installed in {PYTHON.parents[1]}: make .venv-upstream-430")
    netns.ip("address", "add", "10.1.0.5/24", "dev", wire)
    netns.ip("route", "add", "default", "via", "10.1.0.1")
    network, options, chains = request.param
    upstream = Upstream(netns, tmp_path, options)
    yield new_host(**options), upstream, vifs.bridge("br0", **network), chains
    upstream.close()


def test_upgraded(netns, case):
    """Our first plug adds our own rules and changes nothing else, the second one nothing; unplugging takes them away.

    So no packet of the guests, or of the host, is lost on the way.
    """
    host, upstream, vif, chains = case
    upstream.plug(vif)
    before = netns.snapshot()
    steps = host.plan(vif)
    assert [step.partition(" into ")[2] for step in steps] == [
        f"{family} chain os-vif-br0" for family in ("ipv4", "ipv6")[:chains]
    ]
    with netns.monitor() as monitor:
        host.plug(vif)
        assert host.plan(vif) == []
    assert {event.kind.partition("-")[0] for event in monitor.events} == {"nft"}
    with netns.monitor(quiet=0) as monitor:
        host.plug(vif)
    assert monitor.events == []
    host.unplug(vif)
    assert differences(before, netns.snapshot()) == []
    upstream.unplug(vif)
    assert differences(before, netns.snapshot()) == []


def test_downgraded(netns, case):
    """What we have plugged upstream finds as it wants it; it adds its own rules, which it leaves behind.

    Upgraded once more we still know what is ours, and take it away.
    """
    host, upstream, vif, _ = case
    empty = netns.snapshot()
    host.plug(vif)
    plugged = netns.snapshot()
    upstream.plug(vif)
    added = differences(plugged, netns.snapshot())
    assert {line.partition("/")[0] for line in added} == {"firewall"}
    assert not [line for line in added if "os-vif" in line]
    upstream.unplug(vif)
    assert differences(plugged, netns.snapshot()) == added
    assert host.plan(vif) == []
    host.unplug(vif)
    assert differences(empty, netns.snapshot()) == added


@pytest.mark.parametrize("case", [CASES["IPv6 rules"]], ids=["IPv6 rules"], indirect=True)
def test_the_last_one_out_of_a_bridge_of_upstreams(netns, case):
    """Of two VIFs one was plugged before the upgrade, one after it: neither takes the bridge from the other."""
    host, upstream, vif, _ = case
    second = vif.obj_clone()
    second.id = vifs.identity(2)
    upstream.plug(vif)
    before = netns.snapshot()
    host.plug(second)
    upstream.unplug(vif)
    host.unplug(vif)
    assert host.plan(second) == []
    host.unplug(second)
    assert differences(before, netns.snapshot()) == []
