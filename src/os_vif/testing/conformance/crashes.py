# SPDX-License-Identifier: Apache-2.0
"""The process ends at any moment: what is left can be plugged, unplugged and collected."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

import os_vif
from os_vif import exception
from os_vif.plugging import current, requests
from os_vif.testing import faults
from os_vif.testing.conformance.kit import Kit
from os_vif.testing.conformance.lines import Lines, home_of
from os_vif.testing.conformance.processes import start, wait

Act = Callable[[], object]


class Crashes(Kit):
    """For plugins that state what they want: before and after every step, and every step failing.

    For those that do their work themselves: at the lines of their own code, as they come to be run.
    """

    def test_killed_while_plugging_then_plugged_again(self) -> None:
        """The host comes to be as if nothing had happened, and unplugging leaves nothing."""
        before, plugged, moments = self._rehearse()
        for moment in self._deaths(self.plug, moments):
            self.plug()
            self.expect(plugged, f"killed {moment} and plugged again")
            self.unplug()
            self.expect(before, f"killed {moment}, plugged again and unplugged")

    def test_killed_while_plugging_then_unplugged(self) -> None:
        """Nothing is left."""
        before, _, moments = self._rehearse()
        for moment in self._deaths(self.plug, moments):
            self.unplug()
            self.expect(before, f"killed {moment} and unplugged")

    def test_killed_while_plugging_then_collected(self) -> None:
        """Garbage collection finds what is left, if anything is, and removes it."""
        before, _, moments = self._rehearse()
        for moment in self._deaths(self.plug, moments):
            errors = [finding.error for finding in os_vif.gc() if finding.error]
            assert not errors, f"killed {moment}, garbage collection failed: {errors}"
            # What had been finished before the end is no garbage.
            self.unplug()
            self.expect(before, f"killed {moment} and collected")

    def test_killed_while_unplugging_then_unplugged_again(self) -> None:
        """The second time does what is left to do."""
        before = self.snapshot()
        self.plug()
        moments = self._moments(self.unplug)
        self.plug()
        for moment in self._deaths(self.unplug, moments):
            self.unplug()
            self.expect(before, f"killed {moment} and unplugged again")
            self.plug()

    def test_killed_while_unplugging_then_plugged(self) -> None:
        """A VIF that is wanted after all can be plugged, and unplugged."""
        before = self.snapshot()
        self.plug()
        plugged = self.snapshot()
        moments = self._moments(self.unplug)
        self.plug()
        for moment in self._deaths(self.unplug, moments):
            self.plug()
            self.expect(plugged, f"killed {moment} and plugged")
        self.unplug()
        self.expect(before, "unplugged at last")

    def test_every_step_fails(self) -> None:
        """The host is as it was, and the error is a PlugException that names the VIF."""
        if not self.states_what_it_wants():
            pytest.skip("the plugin does its work itself, there are no steps to fail")
        before, _, moments = self._rehearse()
        for number in range(1, moments // 2 + 1):
            self.restart()
            current.engine().executor.observer = faults.fail_before(number)
            with pytest.raises(exception.PlugException, match=requests.identity(self.make_vif(1)[0])):
                self.plug()
            self.expect(before, f"step {number} failed")
        self.restart()

    def _rehearse(self) -> tuple[object, object, int]:
        """What the host is like before and after plugging, and how many moments that has; unplugged again."""
        before = self.snapshot()
        moments = self._moments(self.plug)
        plugged = self.snapshot()
        self.unplug()
        self.expect(before, "plugged and unplugged")
        return before, plugged, moments

    def _moments(self, act: Act) -> int:
        """Does something, and counts the moments at which the process could end."""
        if not self.states_what_it_wants():
            return Lines(home_of(self.plugin())).run(act)
        recorder = faults.Recorder()
        current.engine().executor.observer = recorder
        act()
        self.restart()
        return 2 * len(recorder.steps)

    def _deaths(self, act: Act, moments: int) -> Iterator[str]:
        """Ends a process at one moment after the other; says which it was."""
        spacing = -(-moments // self.most_crashes) or 1
        for moment in range(1, moments + 1, spacing):
            self._die(act, moment)
            self.restart()
            yield f"at moment {moment} of {moments}"

    def _die(self, act: Act, moment: int) -> None:
        if self.host:
            with pytest.raises(faults.Died):
                self._until(act, moment, _die)
            return
        self.restart()
        code = wait(start(lambda: self._until(act, moment, faults.kill)))
        # A plugin that looks at what is there first does not run the same lines every time.
        assert code == -signal.SIGKILL or (code == 0 and not self.states_what_it_wants()), f"exit code {code}"

    def _until(self, act: Act, moment: int, end: Callable[[], None]) -> None:
        self.restart()
        if not self.states_what_it_wants():
            Lines(home_of(self.plugin()), moment, end).run(act)
            return
        number, after = divmod(moment + 1, 2)
        current.engine().executor.observer = faults.Counter("after" if after else "before", number, end)
        act()


def _die() -> None:
    raise faults.Died
