# SPDX-License-Identifier: Apache-2.0
"""Those who plug into one bridge do not wait for each other, and do not take it from each other either."""

from __future__ import annotations

import threading

import pytest

from os_vif import exception
from os_vif.host.contract.operations import OperationFailed
from support import ovs_vifs
from support.plugging import FAULT


class _Guest:
    """An observer: somebody else's port comes to the bridge as soon as it is there, and then a step fails."""

    def __init__(self, switch, comes):
        self._switch = switch
        self._comes = comes

    def __call__(self, when, step):
        if when == "after" and "create" in step.text and self._comes:
            self._switch.vsctl("add-port", "br-int", "theirs", "--", "set", "Interface", "theirs", "type=internal")
        if when == "before" and "add port" in step.text:
            raise OperationFailed(0, 5, FAULT)


@pytest.mark.parametrize("comes", [True, False])
def test_a_bridge_that_is_in_use_survives_the_failure_of_who_made_it(switch, host, comes):
    """Undoing takes it away only while nobody else has a port in it."""
    before = switch.look()
    host.engine.executor.observer = _Guest(switch, comes)
    with pytest.raises(exception.StepFailed, match=FAULT):
        host.plug(ovs_vifs.native(create_port=True))
    if comes:
        assert switch.vsctl("list-ports", "br-int").split() == ["theirs"]
    else:
        assert switch.look() == before


def test_many_find_no_bridge_at_once(switch, host):
    """Each of 8 threads has looked before any of them has made the bridge: one makes it, and all are plugged."""
    line = threading.Barrier(8)
    errors = []

    def observe(when, step):
        if when == "before" and "create" in step.text and not getattr(seen, "waited", False):
            seen.waited = True
            line.wait(timeout=120)

    def body(number):
        try:
            host.plug(ovs_vifs.native(create_port=True, number=number))
        except Exception as error:
            errors.append(error)

    seen = threading.local()
    host.engine.executor.observer = observe
    threads = [threading.Thread(target=body, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(switch.vsctl("list-ports", "br-int").split()) == sorted(ovs_vifs.tap(n) for n in range(1, 9))
