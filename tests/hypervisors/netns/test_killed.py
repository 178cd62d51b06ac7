# SPDX-License-Identifier: Apache-2.0
"""A process that is killed while it attaches, before each change that it makes."""

from __future__ import annotations

import json
from pathlib import Path

from support import differences

CLIENT = Path(__file__).with_name("killed_client.py")


def test_whatever_was_done_is_finished_or_taken_away(host, new_netns, bridged, guest_in):
    """Attaching afterwards makes what it would have made at once; detaching leaves nothing."""
    inside = new_netns()
    vif, guest = bridged(1), guest_in(inside)
    nothing = host.ns.snapshot(), inside.snapshot()
    host.attach(vif, guest)
    everything = comparable(host.ns.snapshot()), comparable(inside.snapshot())
    host.detach(vif, guest)
    number = 0
    while killed(host, vif, inside, number):
        host.attach(vif, guest)
        found = comparable(host.ns.snapshot()), comparable(inside.snapshot())
        assert [differences(*pair) for pair in zip(everything, found, strict=True)] == [[], []]
        host.detach(vif, guest)
        assert killed(host, vif, inside, number)
        host.detach(vif, guest)
        left = host.ns.snapshot(), inside.snapshot()
        assert [differences(*pair) for pair in zip(nothing, left, strict=True)] == [[], []]
        number += 1
    assert number >= 5


def killed(host, vif, inside, number):
    command = host.ns.python_command(CLIENT, json.dumps(vif.obj_to_primitive()), inside.name, number)
    done = host.ns.run(command, check=False)
    assert done.returncode in (0, 9), done.stderr
    return done.returncode == 9


def comparable(snapshot):
    """Without the address of the host's end, which the kernel makes up each time."""
    snapshot["links"].get("tap1", {}).pop("address", None)
    return snapshot
