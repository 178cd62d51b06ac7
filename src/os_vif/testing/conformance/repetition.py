# SPDX-License-Identifier: Apache-2.0
"""Callers repeat themselves: after a restart, after a timeout, because they do not know."""

from __future__ import annotations

import os_vif
from os_vif.objects.base import VersionedObject
from os_vif.testing.conformance.kit import Kit


class Repetition(Kit):
    """Plugging and unplugging, too often or too seldom."""

    def test_unplugging_undoes_plugging(self) -> None:
        """The host is as it was."""
        before = self.snapshot()
        self.plug()
        self.unplug()
        self.expect(before, "plugged and unplugged")

    def test_plugging_twice(self) -> None:
        """The second time changes nothing."""
        self.plug()
        plugged = self.snapshot()
        if self.host:
            self.host.events.clear()
        self.plug()
        self.expect(plugged, "plugged twice")
        assert not (self.host and self.host.events), "the second plug wrote to the host"
        if self.states_what_it_wants():
            assert os_vif.check(*self.make_vif(1)).ok

    def test_plugging_twice_in_two_processes(self) -> None:
        """The same after a restart of the process."""
        self.plug()
        plugged = self.snapshot()
        self.restart()
        self.plug()
        self.expect(plugged, "plugged again after a restart")

    def test_unplugging_twice(self) -> None:
        """The second time does nothing, and does not complain."""
        before = self.snapshot()
        self.plug()
        self.unplug()
        self.unplug()
        self.expect(before, "unplugged twice")

    def test_unplugging_what_was_never_plugged(self) -> None:
        """It does nothing, and does not complain."""
        before = self.snapshot()
        self.unplug()
        self.expect(before, "unplugged without having been plugged")

    def test_unplugging_with_a_copy(self) -> None:
        """A VIF that went over the wire in the meantime is still the same VIF."""
        before = self.snapshot()
        self.plug()
        vif, instance = self.make_vif(1)
        copy = VersionedObject.obj_from_primitive(vif.obj_to_primitive())
        os_vif.unplug(copy, instance)
        self.expect(before, "unplugged with a copy of the VIF")

    def test_vifs_do_not_disturb_each_other(self) -> None:
        """When one of two VIFs goes, the host is as if the other had been alone all the time."""
        self.plug(2)
        alone = self.snapshot()
        self.plug(1)
        both = self.snapshot()
        self.unplug(1)
        self.expect(alone, "one of two VIFs was unplugged")
        self.plug(1)
        self.expect(both, "it was plugged again")
