# SPDX-License-Identifier: Apache-2.0
"""A step that fails, wherever it is, leaves the host as it was, and an error that says all there is to know."""

from __future__ import annotations

import dataclasses
import errno

import pytest

from engine.kinds import KINDS, Kind
from engine.places import KernelPlace, Place
from os_vif import exception
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Step
from os_vif.host.engine.request import Request
from os_vif.testing import faults

WORDS = "words of the kernel"


@pytest.fixture
def request_(place: Place, kind: Kind) -> Request:
    """What is plugged, on a host prepared for it."""
    place.prepare(kind)
    return kind.request(7)


def steps_of(place: Place, request: Request) -> list[Step]:
    """The steps of a plug, done and undone again."""
    recorder = faults.Recorder()
    place.engine(recorder).plug([request])
    place.engine().unplug([request])
    return recorder.steps


def test_plug_fails_at_every_step(place, request_, record_property):
    """The host and the journal are as they were; the error names step, device, VIF and the kernel's words."""
    before = place.look()
    steps = steps_of(place, request_)
    for number, step in enumerate(steps, 1):
        with pytest.raises(exception.StepFailed) as caught:
            place.engine(faults.fail_before(number, errno.EIO, WORDS)).plug([request_])
        assert {step.text, step.device, "vif-7", WORDS} <= set(map(str, caught.value.kwargs.values()))
        assert all(part in str(caught.value) for part in (step.text, step.device, "vif-7", WORDS))
        assert caught.value.kwargs["errno"] == errno.EIO
        assert place.look() == before, step.text
        assert set(place.rows().values()) == {0}, step.text
    record_property("failures", len(steps))


def test_repair_fails_at_every_step(place, request_):
    """A re-plug of a host changed behind our back, that fails: it is as it was found, and still ours to unplug."""
    before = place.look()
    place.engine().plug([request_])
    plugged = place.look()
    disturb(place)
    changed = place.look()
    recorder = faults.Recorder()
    place.engine(recorder).plug([request_])
    assert place.look() == plugged
    disturb(place)
    for number in range(1, len(recorder.steps) + 1):
        with pytest.raises(exception.StepFailed):
            place.engine(faults.fail_before(number)).plug([request_])
        assert place.look() == changed, recorder.steps[number - 1].text
    place.engine().unplug([request_])
    assert place.look() == before


def disturb(place: Place) -> None:
    """Takes every device of ours down, and lets the host answer on it."""
    for link in place.host.all_links():
        if link.group:
            answer = {"name": link.name, "family": "ipv4", "key": "arp_ignore", "value": "0"}
            down = {"name": link.name, "up": False}
            place.host.run([Operation("link.set", down), Operation("sysctl.set", answer)], "")


def test_a_failed_change_of_wiring_leaves_the_record_as_it_was(place):
    """A VIF that was to be wired in another way, and could not be, holds what it held before, row by row."""
    alone = KINDS["multiqueue tap"]
    more = dataclasses.replace(alone, resources=(*KINDS["bridge"].resources, *alone.resources))
    place.engine().plug([alone.request()])
    steps = place.steps(lambda engine: engine.plug([more.request()]))
    place.engine().unplug([more.request()])
    place.engine().plug([alone.request()])
    rows, seen = place.rows(), place.look()
    for number in range(1, steps + 1):
        with pytest.raises(exception.StepFailed):
            place.engine(faults.fail_before(number)).plug([more.request()])
        assert place.rows() == rows
        assert place.look() == seen


def test_a_failed_plug_does_not_claim_what_others_left(place):
    """A bridge that stays for a foreign port stays garbage when a VIF that was to use it could not be plugged."""
    bridge, tap = KINDS["bridge"].request(1), KINDS["tap"].request(2)
    place.engine().plug([bridge])
    place.host.run(
        [
            Operation("tap.add", {"name": "guest"}),
            Operation("link.set", {"name": "guest", "group": 0, "master": "br0"}),
        ],
        "",
    )
    place.engine().unplug([bridge])
    rows = place.rows()
    with pytest.raises(exception.StepFailed):
        place.engine(faults.fail_before(3)).plug([tap])
    assert place.rows() == rows
    place.host.run([Operation("link.set", {"name": "guest", "master": ""})], "")
    assert [finding.kind for finding in place.collect_garbage()] == ["unused"]
    assert "br0" not in place.look()


def test_unplug_goes_on_after_every_failure(place, request_):
    """Whichever step fails, the others are done, but for those that would take away what has not arrived elsewhere; the
    VIF stays on record, and a second unplug does the rest.

    Only the order of addresses may change: one that could not be put back at first comes last.
    """
    before = in_order(place.look())
    place.engine().plug([request_])
    steps = len(planned := place.engine().plan_unplug([request_]).steps)
    place.engine().unplug([request_])
    for number, failing in enumerate(planned, 1):
        place.engine().plug([request_])
        recorder = faults.Recorder()
        with pytest.raises(exception.UnplugIncomplete, match=WORDS) as caught:
            place.engine(_both(recorder, faults.fail_before(number, errno.EIO, WORDS))).unplug([request_])
        assert len(caught.value.errors) >= 1
        left_out = [step for step in planned[number:] if step.device in failing.guards and not step.guards]
        assert len(recorder.steps) + len(caught.value.errors) == steps - len(left_out)
        assert place.rows()["vif"] == 1
        place.engine().unplug([request_])
        assert in_order(place.look()) == before
        assert set(place.rows().values()) == {0}


def in_order(look):
    return {
        name: {**link, "addresses": sorted(link["addresses"])} if name != "firewall" else link
        for name, link in look.items()
    }


def _both(*observers):
    def observe(when, step):
        for observer in observers:
            observer(when, step)

    return observe


def test_undoing_fails_too(place, request_):
    """When the way back is barred as well, the error says both, and unplugging later leaves nothing behind."""
    before = place.look()
    steps = steps_of(place, request_)
    undone = [number for number, step in enumerate(steps, 1) if step.undo is not None]
    last = len(steps)
    if not [number for number in undone if number < last]:
        pytest.skip("nothing of this kind is undone")
    host = faults.Interposed(place.host, _refuse_from(last))
    with pytest.raises(exception.UndoFailed, match="Undoing failed as well") as caught:
        place.engine(host=host).plug([request_])
    assert WORDS in str(caught.value)
    assert [record.status for record in place.engine().journal.records()] == ["plugging"]
    place.engine().unplug([request_])
    assert place.look() == before
    assert set(place.rows().values()) == {0}


def _refuse_from(number):
    seen = iter(range(1, 10_000))

    def hook(when, operation):
        if when == "before" and next(seen) >= number:
            raise OperationFailed(0, errno.EIO, WORDS)

    return hook


def test_the_process_dies_while_it_undoes(fake_place, kind):
    """A step fails, and the process ends at any moment of undoing: unplugging still leaves nothing."""
    fake_place.prepare(kind)
    request = kind.request()
    before = fake_place.look()
    total = len(steps_of(fake_place, request))
    died = 0
    for failing in range(2, total + 1):
        for dying in range(failing + 1, 2 * total + 2):
            host = faults.Interposed(fake_place.host, _refuse_then_die(failing, dying))
            try:
                fake_place.engine(host=host).plug([request])
            except faults.Died:
                died += 1
                fake_place.engine().unplug([request])
            except exception.StepFailed:
                assert fake_place.look() == before
                break
            assert fake_place.look() == before, (failing, dying)
            assert set(fake_place.rows().values()) == {0}
    assert died


def _refuse_then_die(failing, dying):
    seen = iter(range(1, 10_000))

    def hook(when, operation):
        if when == "before":
            number = next(seen)
            if number == failing:
                raise OperationFailed(0, errno.EIO, WORDS)
            if number == dying:
                raise faults.Died

    return hook


def test_all_that_can_be_seen_comes_back(kernel_place: KernelPlace, netns, kind):
    """The same, judged by every view that the tools have of a namespace: links, addresses, routes, rules, sysctls."""
    kernel_place.prepare(kind)
    before = netns.snapshot()
    steps = steps_of(kernel_place, kind.request())
    assert netns.snapshot() == before
    with pytest.raises(exception.StepFailed):
        kernel_place.engine(faults.fail_before(len(steps))).plug([kind.request()])
    assert netns.snapshot() == before
