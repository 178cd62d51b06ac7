# SPDX-License-Identifier: Apache-2.0
"""Many threads and several processes plug and unplug at once: no error, nothing left over, the right end."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from engine.places import KernelPlace, Place
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.request import Request
from os_vif.host.state import NO_HOST_IP, Bridge, HostState, Tap
from os_vif.testing.conformance.processes import in_threads, start

THREADS = 32


def request(number: int) -> Request:
    """A tap of its own, on a bridge that all share."""
    bridge = Bridge(name="br0", shared=True, sysctls=NO_HOST_IP)
    tap = Tap(name=f"tap{number}", mac=f"52:54:00:00:00:{number:02x}", master="br0", sysctls=NO_HOST_IP)
    return Request(f"vif-{number}", "some", HostState((bridge, tap)), "os_vif.privsep", {})


def back_and_forth(engine: Engine, number: int, rounds: int) -> None:
    for _ in range(rounds):
        engine.plug([request(number)])
        engine.unplug([request(number)])


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_threads_with_vifs_of_their_own(place):
    """Each of 32 threads plugs and unplugs its VIF; the bridge that all share goes with the last, whoever that is."""
    before = place.look()
    engine = place.engine()
    back_and_forth(engine, 0, 1)
    files, threads = open_files(), threading.active_count()
    assert in_threads(THREADS, lambda number: back_and_forth(engine, number, 2)) == []
    assert threading.active_count() == threads
    assert open_files() <= files
    assert place.look() == before
    assert set(place.rows().values()) == {0}


def test_threads_with_the_same_vif(place):
    """32 threads plug the same VIF: it is plugged once. The same for unplugging."""
    before = place.look()
    engine = place.engine()
    assert in_threads(THREADS, lambda number: engine.plug([request(1)])) == []
    assert len(engine.plan([request(1)])) == 0
    assert place.rows() == {"vif": 1, "holding": 2, "use": 2}
    assert in_threads(THREADS, lambda number: engine.unplug([request(1)])) == []
    assert place.look() == before
    assert set(place.rows().values()) == {0}


def test_threads_plugging_and_unplugging_the_same_vif(place):
    """Half plug, half unplug: whoever is last decides, and the host and the journal agree."""
    before = place.look()
    engine = place.engine()

    def act(number: int) -> object:
        return (engine.plug if number % 2 else engine.unplug)([request(1)])

    assert in_threads(THREADS, act) == []
    on_record = place.rows()["vif"] == 1
    assert ("tap1" in place.look()) == on_record
    engine.unplug([request(1)])
    assert place.look() == before
    assert set(place.rows().values()) == {0}


def test_all_plug_then_all_unplug(place):
    """All VIFs are there at once, each on the bridge; when all have gone nothing is left."""
    before = place.look()
    engine = place.engine()
    assert in_threads(THREADS, lambda number: engine.plug([request(number)])) == []
    bridge = place.host.get_link("br0")
    assert {port.name for port in place.host.ports_of(bridge.index)} == {f"tap{number}" for number in range(THREADS)}
    assert place.rows() == {"vif": THREADS, "holding": THREADS + 1, "use": 2 * THREADS}
    assert in_threads(THREADS, lambda number: engine.unplug([request(number)])) == []
    assert place.look() == before
    assert set(place.rows().values()) == {0}


@pytest.mark.parametrize("which", ["the same VIFs", "different VIFs"])
def test_two_processes_of_many_threads(kernel_place: KernelPlace, which: str):
    """Two processes, with a journal and locks in one directory, are as good as one."""
    before = kernel_place.look()

    def work(first: int) -> None:
        engine = kernel_place.engine()
        assert in_threads(THREADS // 2, lambda number: back_and_forth(engine, first + number, 2)) == []

    children = [start(lambda first=first: work(first)) for first in (0, 0 if which == "the same VIFs" else 16)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert kernel_place.look() == before
    assert set(kernel_place.rows().values()) == {0}


def test_a_process_is_killed_among_others(kernel_place: KernelPlace):
    """While some plug and unplug, others are killed at it; those that live see no error, and the rest is healed."""
    before = kernel_place.look()

    def work() -> None:
        engine = kernel_place.engine()
        assert in_threads(4, lambda number: back_and_forth(engine, number, 3)) == []

    child = start(work)
    for number in range(10, 18):
        kernel_place.dies(lambda engine, number=number: engine.plug([request(number)]), "after", 1 + number % 6)
    assert os.waitpid(child, 0)[1] == 0
    removed = kernel_place.collect_garbage()
    assert {finding.vif_id for finding in removed} >= {f"vif-{number}" for number in range(10, 18)}
    assert all(finding.removed for finding in removed)
    assert kernel_place.look() == before
    assert set(kernel_place.rows().values()) == {0}


def test_a_batch_takes_the_bridge_along(place: Place):
    """VIFs unplugged together leave nothing, as if it had been one after the other."""
    before = place.look()
    batch = [request(number) for number in range(3)]
    place.engine().plug(batch)
    place.engine().unplug(batch)
    assert place.look() == before
    assert set(place.rows().values()) == {0}


def test_a_batch_beside_single_plugs(place: Place):
    """A batch of many and threads with one each, over the same bridge, get in nobody's way."""
    before = place.look()
    engine = place.engine()
    batch = [request(number) for number in range(20, 30)]

    def act(number: int) -> None:
        if number == 0:
            engine.plug(batch)
            engine.unplug(batch)
        else:
            back_and_forth(engine, number, 2)

    assert in_threads(8, act) == []
    assert place.look() == before
    assert set(place.rows().values()) == {0}
