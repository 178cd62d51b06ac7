# SPDX-License-Identifier: Apache-2.0
"""Callers catch os_vif.exception.ExceptionBase, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import os_vif
from os_vif import exception
from os_vif.testing.conformance.kit import Kit, Pair


class Errors(Kit):
    """VIFs that are not as they should be."""

    def make_odd_vifs(self) -> Iterator[Pair]:
        """VIFs that lack a field each, one after the other. Override it to try what your plugin minds especially."""
        vif, instance = self.make_vif(1)
        fields = [name for name in vif.fields if name in vif and name != "plugin"]
        for left_out in fields:
            yield type(vif)(**{name: getattr(vif, name) for name in ("plugin", *fields) if name != left_out}), instance
        yield type(vif)(plugin=vif.plugin), instance

    def test_odd_vifs(self) -> None:
        """They are plugged or refused; whatever is raised is an ExceptionBase, and unplugging leaves nothing."""
        before = self.snapshot()
        for vif, instance in self.make_odd_vifs():
            self._try(os_vif.plug, vif, instance)
            self._try(os_vif.unplug, vif, instance)
            self.expect(before, f"plugged and unplugged {vif}")

    def _try(self, act: object, vif: object, instance: object) -> None:
        try:
            act(vif, instance)  # type: ignore[operator]
        except exception.ExceptionBase as error:
            assert str(error), "an error without a word"
