# SPDX-License-Identifier: Apache-2.0
"""A process that is killed between any two steps leaves nothing that the next one cannot put right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.kinds import Kind
from engine.places import Act, Place
from os_vif.host.engine.request import Request

MOMENTS = ("before", "after")


@pytest.fixture
def request_(place: Place, kind: Kind) -> Request:
    """What is plugged, on a host prepared for it."""
    place.prepare(kind)
    return kind.request()


def crashes(place: Place, act: Act, steps: int) -> Iterator[str]:
    """Kills a process that does ``act`` at every moment, one after the other; says when it was."""
    for number in range(1, steps + 1):
        for when in MOMENTS:
            place.dies(act, when, number)
            yield f"{when} step {number} of {steps}"


def test_plug_killed_then_plugged_again(place, request_, record_property):
    """The end is as if nothing had happened, and unplugging leaves the host as it was before, journal included."""
    before = place.look()
    steps = place.steps(lambda engine: engine.plug([request_]))
    plugged = place.look()
    place.engine().unplug([request_])
    assert place.look() == before
    for moment in crashes(place, lambda engine: engine.plug([request_]), steps):
        place.engine().plug([request_])
        assert place.look() == plugged, moment
        assert len(place.engine().plan([request_])) == 0, moment
        place.engine().unplug([request_])
        assert place.look() == before, moment
        assert set(place.rows().values()) == {0}, moment
    record_property("crashes", 2 * steps)


def test_plug_killed_then_unplugged(place, request_):
    """Nothing is left: the host is as it was before, and so is the journal."""
    before = place.look()
    steps = place.steps(lambda engine: engine.plug([request_]))
    place.engine().unplug([request_])
    for moment in crashes(place, lambda engine: engine.plug([request_]), steps):
        place.engine().unplug([request_])
        assert place.look() == before, moment
        assert set(place.rows().values()) == {0}, moment


def test_plug_killed_then_garbage_collected(place, request_):
    """Garbage collection finds the VIF without being told, and removes all of it."""
    before = place.look()
    steps = place.steps(lambda engine: engine.plug([request_]))
    place.engine().unplug([request_])
    for moment in crashes(place, lambda engine: engine.plug([request_]), steps):
        found = place.collect_garbage()
        assert [(finding.kind, finding.vif_id) for finding in found if finding.removed] == [("unfinished", "vif-1")]
        assert place.look() == before, moment
        assert set(place.rows().values()) == {0}, moment
        assert place.collect_garbage() == [], moment


def test_unplug_killed_then_unplugged_again(place, request_):
    """The second unplug does what the first has not done, and a plug in its place brings everything back."""
    before = place.look()
    place.engine().plug([request_])
    plugged = place.look()
    steps = place.steps(lambda engine: engine.unplug([request_]))
    place.engine().plug([request_])
    for moment in crashes(place, lambda engine: engine.unplug([request_]), steps):
        place.engine().unplug([request_])
        assert place.look() == before, moment
        assert set(place.rows().values()) == {0}, moment
        place.engine().plug([request_])
        assert place.look() == plugged, moment


def test_unplug_killed_then_plugged(place, request_):
    """A plug after an unplug that was killed brings everything back; unplugging then still knows what was before."""
    before = place.look()
    place.engine().plug([request_])
    plugged = place.look()
    steps = place.steps(lambda engine: engine.unplug([request_]))
    place.engine().plug([request_])
    for moment in crashes(place, lambda engine: engine.unplug([request_]), steps):
        place.engine().plug([request_])
        assert place.look() == plugged, moment
    place.engine().unplug([request_])
    assert place.look() == before


def test_unplug_killed_then_garbage_collected(place, request_):
    """Garbage collection finishes an unplug that was killed."""
    before = place.look()
    place.engine().plug([request_])
    steps = place.steps(lambda engine: engine.unplug([request_]))
    place.engine().plug([request_])
    for moment in crashes(place, lambda engine: engine.unplug([request_]), steps):
        assert [finding.removed for finding in place.collect_garbage()] == [True], moment
        assert place.look() == before, moment
        assert set(place.rows().values()) == {0}, moment
        place.engine().plug([request_])
