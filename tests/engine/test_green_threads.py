# SPDX-License-Identifier: Apache-2.0
"""A service that eventlet has patched plugs from green threads and from native ones (eventlet.tpool)."""

from __future__ import annotations

import sys

import pytest

from support import require

SERVICE = """
import eventlet
eventlet.monkey_patch()
import sys, uuid
from eventlet import tpool
import os_vif
from os_vif import objects

os_vif.initialize()
instance = objects.instance_info.InstanceInfo(uuid=str(uuid.uuid4()), name="guest")


def vif(number):
    network = objects.network.Network(id=str(uuid.uuid4()), bridge=f"br{number % 3}", should_provide_bridge=True)
    vif_id = f"6d3e{number:04x}-4c2d-4b8e-9d5e-3c1f0a9b8c7d"
    common = dict(id=vif_id, network=network, address="52:54:00:00:00:01", has_traffic_filtering=True)
    names = dict(vif_name=f"tap{number}", bridge_name=network.bridge)
    return objects.vif.VIFBridge(plugin="linux_bridge", **names, **common)


def once(number):
    os_vif.plug(vif(number), instance)
    os_vif.unplug(vif(number), instance)
    return number


def run(number):
    native = {"green": False, "native": True, "both": number % 2}[sys.argv[1]]
    return tpool.execute(once, number) if native else once(number)


print(sorted(eventlet.GreenPool(8).imap(run, range(24))) == list(range(24)))
"""


@pytest.mark.parametrize("threads", ["green", "native", "both"])
def test_all_come_to_an_end(netns, threads, tmp_path):
    """Nobody waits for ever for what a thread of another kind holds; nothing is left."""
    require(module="eventlet")
    script = tmp_path / "service.py"
    script.write_text(SERVICE)
    ended = netns.run([sys.executable, "-W", "ignore", script, threads], timeout=300)
    assert ended.stdout == "True\n"
    assert netns.link_names() == set()
