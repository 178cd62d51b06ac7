# SPDX-License-Identifier: Apache-2.0
"""Random lives of a host: VIFs are plugged and unplugged, processes die, others interfere, garbage is collected.

The model is a dictionary: which VIF is plugged, and how. VIFs whose process died are unsettled until the next word on
them; VIFs that somebody has damaged behind our back need not be as stated until they are plugged again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.places import Place
from os_vif import exception
from os_vif.host.contract.operations import Operation
from os_vif.host.engine.request import Request
from os_vif.host.state import NO_HOST_IP, Bridge, HostState, IfForeign, Tap
from os_vif.host.state.mark_form import DEVICE_GROUP
from os_vif.testing import faults

BRIDGES = ("br0", "br1")
NUMBERS = st.integers(min_value=1, max_value=3)
MANNERS = st.sampled_from(["br0", "br1", "br0 small", "alone", "alone small"])
STEPS = st.integers(min_value=1, max_value=14)
WHEN = st.sampled_from(["before", "after"])


def request(number: int, manner: str) -> Request:
    """VIF ``number``, wired in one manner or another."""
    bridge, _, small = manner.partition(" ")
    tap = Tap(name=f"tap{number}", mac=f"52:54:00:00:00:0{number}", sysctls=NO_HOST_IP, mtu=1400 if small else 1500)
    if bridge == "alone":
        return Request(f"vif-{number}", "some", HostState((tap,)), "os_vif.privsep", {"manner": manner})
    shared = Bridge(name=bridge, shared=True, sysctls=NO_HOST_IP, if_foreign=IfForeign.SHARE)
    on_bridge = dataclasses.replace(tap, master=bridge)
    return Request(f"vif-{number}", "some", HostState((shared, on_bridge)), "os_vif.privsep", {"manner": manner})


class History(RuleBasedStateMachine):
    """Subclasses say on which kind of host."""

    def make_place(self, state: Path) -> Place:
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.exits = contextlib.ExitStack()
        self.place = self.make_place(Path(self.exits.enter_context(tempfile.TemporaryDirectory())))
        self.engine = self.place.engine()
        self.plugged: dict[int, str] = {}
        self.unsettled: set[int] = set()
        self.damaged: set[int] = set()
        self.foreign: set[str] = set()

    # --- what may happen ------------------------------------------------------------------------------------

    @rule(number=NUMBERS, manner=MANNERS)
    def plug(self, number, manner):
        manner = self._possible(number, manner)
        before = self.place.look()
        try:
            self.engine.plug([request(number, manner)])
        except exception.ForeignDevice:
            assert f"tap{number}" in self.foreign
            assert self.place.look() == before
            return
        assert f"tap{number}" not in self.foreign
        self._is_plugged(number, manner)

    @rule(number=NUMBERS)
    def unplug(self, number):
        manner = self.plugged.get(number, "br0")
        self.engine.unplug([request(number, manner)])
        self._is_gone(number)

    @rule(number=NUMBERS, manner=MANNERS, step=STEPS)
    def plug_fails(self, number, manner, step):
        if f"tap{number}" in self.foreign:
            return
        manner = self._possible(number, manner)
        before = self.place.look()
        try:
            self.place.engine(faults.fail_before(step)).plug([request(number, manner)])
        except exception.StepFailed:
            assert self.place.look() == before
        else:
            self._is_plugged(number, manner)

    @rule(number=NUMBERS, manner=MANNERS, step=STEPS, when=WHEN)
    def plug_dies(self, number, manner, step, when):
        if f"tap{number}" in self.foreign:
            return
        manner = self._possible(number, manner)
        if self._dies(lambda engine: engine.plug([request(number, manner)]), when, step):
            self.plugged.pop(number, None)
            self.unsettled.add(number)
        else:
            self._is_plugged(number, manner)

    @rule(number=NUMBERS, step=st.integers(min_value=1, max_value=3), when=WHEN)
    def unplug_dies(self, number, step, when):
        manner = self.plugged.get(number, "br0")
        if self._dies(lambda engine: engine.unplug([request(number, manner)]), when, step):
            self.plugged.pop(number, None)
            self.unsettled.add(number)
        else:
            self._is_gone(number)

    @rule()
    def restart(self):
        self.engine = self.place.engine()

    @rule()
    def collect_garbage(self):
        assert all(finding.removed for finding in self.place.collect_garbage())
        self.unsettled.clear()

    @rule(keep=st.sets(NUMBERS))
    def collect_all_but(self, keep):
        collector = self.place.collector()
        wanted = {f"vif-{number}" for number in keep}
        assert all(collector.remove(finding).removed for finding in collector.find(keep=wanted))
        self.unsettled.clear()
        for number in set(self.plugged) - keep:
            self._is_gone(number)

    @precondition(lambda self: self.plugged)
    @rule(data=st.data(), how=st.sampled_from(["remove", "down", "small", "off the bridge", "answering"]))
    def somebody_damages(self, data, how):
        device = data.draw(st.sampled_from([*sorted(self._ours()), "nothing"]))
        if device != "nothing":
            self._damage(device, how)
        self.damaged |= set(self.plugged)

    @rule(number=NUMBERS)
    def somebody_takes_the_name(self, number):
        name = f"tap{number}"
        if name not in self.place.look():
            self._do("tap.add", name=name)
            self._do("link.set", name=name, group=0)
            self.foreign.add(name)

    @precondition(lambda self: self.foreign)
    @rule(data=st.data())
    def somebody_goes(self, data):
        name = data.draw(st.sampled_from(sorted(self.foreign)))
        self._remove(name)
        self.foreign.discard(name)

    @rule(bridge=st.sampled_from(BRIDGES))
    def somebody_joins_a_bridge(self, bridge):
        name = f"guest-{bridge}"
        if bridge in self.place.look() and name not in self.foreign:
            self._do("tap.add", name=name)
            self._do("link.set", name=name, group=0, master=bridge)
            self.foreign.add(name)

    # --- what must hold -------------------------------------------------------------------------------------

    @invariant()
    def what_is_plugged_is_as_stated(self):
        for number, manner in self.plugged.items():
            if number not in self.damaged:
                assert [step.text for step in self.engine.plan([request(number, manner)])] == []

    @invariant()
    def what_is_not_ours_is_there(self):
        assert self.foreign <= set(self.place.look())

    @invariant()
    def nothing_else_is_there(self):
        if self.unsettled or self.damaged:
            return
        wanted = {f"tap{number}" for number in self.plugged}
        bridges = {manner.partition(" ")[0] for manner in self.plugged.values()} - {"alone"}
        kept = {name.removeprefix("guest-") for name in self.foreign if name.startswith("guest-")}
        assert wanted | bridges <= set(self._ours()) <= wanted | bridges | kept | self._idle_bridges()

    def teardown(self):
        try:
            self._end()
        finally:
            self.exits.close()

    def _end(self):
        """Everybody leaves: nothing is left, and the journal is empty."""
        for name in sorted(self.foreign):
            self._remove(name)
        for number in (1, 2, 3):
            self.engine.unplug([request(number, self.plugged.get(number, "br0"))])
        assert all(finding.removed for finding in self.place.collect_garbage())
        assert set(self.place.look()) == {"lo", "firewall"}
        assert set(self.place.rows().values()) == {0}

    def _possible(self, number, manner):
        """A tap that is on a bridge stays there when no bridge is stated: what is not stated is left as it is."""
        settled = number not in self.plugged and number not in self.unsettled
        return manner if settled else manner.replace("alone", "br1")

    # --- how ------------------------------------------------------------------------------------------------

    def _is_plugged(self, number, manner):
        self.plugged[number] = manner
        self.unsettled.discard(number)
        self.damaged.discard(number)

    def _is_gone(self, number):
        self.plugged.pop(number, None)
        self.unsettled.discard(number)
        self.damaged.discard(number)

    def _dies(self, act, when, step):
        try:
            self.place.dies(act, when, step)
        except AssertionError as error:
            assert "did not come to step" in str(error)
            return False
        return True

    def _ours(self):
        return [link.name for link in self.place.host.all_links() if link.group]

    def _idle_bridges(self):
        """Bridges that were kept for a guest that has gone since wait for the garbage collection."""
        collector = self.place.collector()
        return {finding.holding.resource.name for finding in collector.find() if finding.kind == "unused"}

    def _damage(self, device, how):
        if how == "remove":
            self._remove(device)
        elif how == "answering":
            self._do("sysctl.set", name=device, family="ipv4", key="arp_ignore", value="0")
        else:
            change = {"down": {"up": False}, "small": {"mtu": 1300}, "off the bridge": {"master": ""}}[how]
            self._do("link.set", name=device, **change)

    def _remove(self, name):
        self._do("link.set", name=name, group=DEVICE_GROUP)
        self._do("link.delete", name=name)

    def _do(self, operation, **arguments):
        self.place.host.run([Operation(operation, arguments)], "")
