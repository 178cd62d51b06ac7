# SPDX-License-Identifier: Apache-2.0
"""A service that is stopped while it plugs stops after it has plugged."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from support import differences, vifs

CLIENT = Path(__file__).with_name("slow_client.py")

STEPS = [
    "create bridge br0",
    "mark br0 as os-vif",
    "set sysctl ipv6/disable_ipv6 of br0 to 1",
    "set sysctl ipv4/arp_ignore of br0 to 1",
    "set sysctl ipv4/arp_announce of br0 to 2",
    "bring br0 up",
    "write 2 forwarding rules into ipv4 chain os-vif-br0",
    "write 2 forwarding rules into ipv6 chain os-vif-br0",
]


@pytest.fixture
def vif():
    return vifs.bridge("br0")


@pytest.fixture
def slow(netns, tmp_path, vif):
    """Starts the slow service."""

    def start(who):
        text = json.dumps(vif.obj_to_primitive())
        return netns.popen(netns.python_command(CLIENT, tmp_path, who, text), stdout=subprocess.PIPE)

    return start


def stopped_at_the_second_step(process, number):
    lines = [process.stdout.readline() for _ in range(2)]
    process.send_signal(number)
    rest = process.stdout.read()
    process.stdout.close()
    process.wait(30)
    return [line.rstrip("\n") for line in (*lines, *rest.splitlines())]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_takes_effect_after_the_plug(host, slow, vif, number):
    """Every step is done, the record is finished, and then the process ends, by the signal, before it does more."""
    process = slow("main")
    assert stopped_at_the_second_step(process, number) == STEPS
    assert process.returncode == -number
    assert host.plan(vif) == []
    [record] = host.engine.journal.records()
    assert record.status == "plugged"


def test_what_was_done_in_time_can_be_undone(host, slow, vif):
    """Another process finds the record and takes everything away."""
    before = host.ns.snapshot()
    stopped_at_the_second_step(slow("main"), signal.SIGTERM)
    host.unplug(vif)
    assert differences(before, host.ns.snapshot()) == []


def test_in_a_thread_a_signal_may_cut_it_off_and_the_next_plug_heals_it(host, slow, vif):
    """Only the main thread can defer signals for the process; what is left half done is known from the journal."""
    before = host.ns.snapshot()
    process = slow("thread")
    done = stopped_at_the_second_step(process, signal.SIGTERM)
    assert process.returncode == -signal.SIGTERM
    assert len(done) < len(STEPS)
    host.plug(vif)
    assert host.plan(vif) == []
    host.unplug(vif)
    assert differences(before, host.ns.snapshot()) == []
