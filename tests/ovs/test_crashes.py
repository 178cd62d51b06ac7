# SPDX-License-Identifier: Apache-2.0
"""A process that is killed between any two steps, and a step that fails: rows and devices are put right again."""

from __future__ import annotations

import pytest

from engine.places import KernelPlace
from os_vif import exception
from os_vif.plugging import requests
from os_vif.plugins.ovs import OvsPlugin
from os_vif.testing import faults
from support import ovs_vifs, vifs
from support.plugging import configured

TAP = {"create_port": True, "create_tap": True}
KINDS = {
    "hybrid": (ovs_vifs.hybrid(datapath="system"), {"isolate_vif": True}),
    "tap": (ovs_vifs.native(**TAP, datapath="system"), {}),
    "per-port bridge": (ovs_vifs.native(**TAP, datapath="system"), {"per_port_bridge": True}),
}


class SwitchPlace(KernelPlace):
    """A host with a switch. Without the kernel's datapath nothing tells of time: see --enable-dummy."""

    def __init__(self, state, switch, options):
        super().__init__(state)
        self._switch = switch
        self._engines = []
        self._plugin = configured(OvsPlugin, ovsdb_connection=switch.remote, ovs_vsctl_timeout=20, **options)

    def engine(self, *arguments, **options):
        self._engines.append(super().engine(*arguments, **options))
        return self._engines[-1]

    def close(self):
        """Ends the connections of all engines."""
        for engine in self._engines:
            engine.backends["ovs"].close()

    def request(self, vif):
        return requests.request(self._plugin, vif, vifs.INSTANCE)

    def leaving(self, vif):
        return requests.request_to_leave(self._plugin, vif, vifs.INSTANCE)

    def look(self):
        """But for MAC addresses of veth devices, which the kernel makes up."""
        seen = super().look()
        for device in seen.values():
            if isinstance(device, dict) and device.get("kind") == "veth":
                del device["mac"]
        return seen | {"rows": self._switch.look()}


@pytest.fixture(params=list(KINDS))
def case(request, kernel_switch, tmp_path):
    """A host, what is asked for and what is asked for to leave; br-int is there already."""
    vif, options = KINDS[request.param]
    kernel_switch.vsctl("add-br", "br-int")
    with kernel_switch.ns.enter():
        place = SwitchPlace(tmp_path / "state", kernel_switch, options)
        yield place, place.request(vif), place.leaving(vif)
        place.close()


def moments(place, act):
    """Kills a process that does it before its first step, and after each; tells when."""
    steps = place.steps(act)
    yield "not at all"
    place.dies(act, "before", 1)
    yield "before the first step"
    for number in range(1, steps + 1):
        place.dies(act, "after", number)
        yield f"after step {number} of {steps}"


def check_gone(place, before, moment):
    assert place.look() == before, moment
    assert set(place.rows().values()) == {0}, moment


def test_plug_killed_then_plugged_again(case):
    """The end is as if nothing had happened, and unplugging leaves rows, devices and records as they were before."""
    place, request, leaving = case
    before, plugged = place.look(), None
    for moment in moments(place, lambda engine: engine.plug([request])):
        place.engine().plug([request])
        plugged = plugged or place.look()
        assert place.look() == plugged, moment
        assert len(place.engine().plan([request])) == 0, moment
        place.engine().unplug([leaving])
        check_gone(place, before, moment)


def test_plug_killed_then_unplugged_or_collected(case):
    """By turns: nothing is left either way."""
    place, request, leaving = case
    before = place.look()
    for number, moment in enumerate(moments(place, lambda engine: engine.plug([request]))):
        if number % 2:
            found = place.collect_garbage()
            assert [finding.removed for finding in found] == [True], moment
        else:
            place.engine().unplug([leaving])
        check_gone(place, before, moment)


def test_unplug_killed(case):
    """Then unplugged again: nothing is left, of rows, devices and records."""
    place, request, leaving = case
    before = place.look()
    place.engine().plug([request])
    for moment in moments(place, lambda engine: engine.unplug([leaving])):
        place.engine().unplug([leaving])
        check_gone(place, before, moment)
        place.engine().plug([request])


def test_every_step_fails_once(case):
    """Everything is undone, rows in the database and devices in the kernel; the error names the step."""
    place, request, leaving = case
    before = place.look()
    recorder = faults.Recorder()
    place.engine(recorder).plug([request])
    place.engine().unplug([leaving])
    for number, step in enumerate(recorder.steps, 1):
        with pytest.raises(exception.StepFailed) as caught:
            place.engine(faults.fail_before(number, 5, "no such luck")).plug([request])
        assert str(caught.value).startswith(f"Could not {step.text} (device {step.device}, VIF {request.vif_id}): ")
        assert place.look() == before, step.text
        assert set(place.rows().values()) == {0}, step.text
