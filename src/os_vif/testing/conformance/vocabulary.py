# SPDX-License-Identifier: Apache-2.0
"""What a plugin states is kept by the journal, and comes back from it as it was."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from os_vif.host import state
from os_vif.host.access import privileged
from os_vif.host.contract.backend import Purpose
from os_vif.host.contract.plan import Step
from os_vif.plugging import current, requests
from os_vif.plugin import Plugin
from os_vif.testing.conformance.kit import Kit


class Vocabulary(Kit):
    """For plugins that state what they want, and for the backends that they bring."""

    def test_what_is_stated_survives_the_journal(self) -> None:
        """Each resource is equal after it was JSON; its key, its lock and its label are texts that do not change."""
        for resource in self._stated():
            again = state.from_primitive(json.loads(json.dumps(state.to_primitive(resource))))
            assert again == resource, f"{resource} comes back as {again}"
            for text in ("key", "lock", "label"):
                assert isinstance(getattr(resource, text), str), f"the {text} of {resource} is no text"
                assert getattr(again, text) == getattr(resource, text), f"the {text} of {resource} changes"

    def test_looking_changes_nothing(self) -> None:
        """Reading and planning, plugged or not; plugged, there is nothing to be done."""
        for plugged in (False, True):
            if plugged:
                self.plug()
            before = self.snapshot()
            steps = [step for resource in self._stated() for step in self._steps(resource)]
            assert not (plugged and steps), f"plugged, there is still to do: {steps}"
            self.expect(before, "after a look")

    def _steps(self, resource: state.Resource) -> Sequence[Step]:
        backend = current.engine().backends[resource.backend]
        purpose = Purpose(requests.identity(self.make_vif(1)[0]), privileged.DEFAULT_CONTEXT)
        return backend.converge(resource, backend.read([resource], purpose), purpose).steps

    def _stated(self) -> state.HostState:
        plugin = self.plugin()
        if not isinstance(plugin, Plugin):
            pytest.skip("the plugin does its work itself, and states nothing")
        return plugin.desired_state(*self.make_vif(1))
