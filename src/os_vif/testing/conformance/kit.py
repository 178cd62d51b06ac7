# SPDX-License-Identifier: Apache-2.0
"""What the author of a plugin fills in, and the surroundings in which each test runs."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import os_vif
from os_vif.host.journal.store import STATE_DIR_VARIABLE
from os_vif.host.state import third_party
from os_vif.loading import plugins
from os_vif.plugging import current
from os_vif.plugin import Plugin, PluginBase
from os_vif.testing.conformance.snapshot import kernel_snapshot
from os_vif.testing.fake.host import FakeHost
from os_vif.testing.namespaces import own_namespace
from os_vif.testing.using import engine_on

#: A VIF and its instance.
Pair = tuple[Any, Any]


class Kit:
    """Override make_vif(), and what else does not fit. Everything else is for the tests."""

    #: How many moments a crash is tried at, at most; with more, they are spread evenly.
    most_crashes = 60
    #: Attributes of devices that differ each time they are made, on the kernel. Set it to () if you choose the MACs.
    left_to_chance: tuple[str, ...] = ("mac",)

    def make_vif(self, number: int) -> Pair:
        """A VIF for the plugin, and its instance. The same number gives an equal VIF, another a different one."""
        raise NotImplementedError

    def make_plugin(self) -> PluginBase | None:
        """The plugin, where it is not installed; else it is loaded by its entry point, which is a test in itself."""
        return None

    def make_backends(self) -> Mapping[str, Callable[..., Any]]:
        """The plugin's own backends by name, where its package is not installed; each is called as a backend is."""
        return {}

    def make_host(self) -> FakeHost | None:
        """A fake host to test on; None means the kernel. Only plugins that state what they want can use it."""
        return None

    def prepare(self) -> None:
        """Makes what VIFs expect to find on the host: network cards and the like."""

    def snapshot(self) -> object:
        """All that the plugin may change, for ``==``."""
        return self.host.snapshot() if self.host else kernel_snapshot(without=self.left_to_chance)

    # --- surroundings ---------------------------------------------------------------------------------------

    host: FakeHost | None = None

    @pytest.fixture(autouse=True)
    def _surroundings(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        before = current.in_use()
        self.host = self.make_host()
        with tempfile.TemporaryDirectory() as state, _place_for(self.host):
            monkeypatch.setenv(STATE_DIR_VARIABLE, state)
            self._state = Path(state)
            self._load()
            self.restart()
            try:
                self.prepare()
                yield
            finally:
                current.engine().journal.close()
                current.use(before)
                for name in self.make_backends():
                    third_party.forget(name)

    def _load(self) -> None:
        os_vif.initialize()
        for name, make in self.make_backends().items():
            third_party.tell(name, make)
        plugin = self.make_plugin()
        if plugin is not None:
            plugins.plugins()[self.make_vif(0)[0].plugin] = plugin

    def restart(self) -> None:
        """From now on os_vif is as in a process that has just started, on the same host."""
        current.use(engine_on(self.host, self._state) if self.host else None)

    # --- for the tests --------------------------------------------------------------------------------------

    def plugin(self) -> PluginBase:
        """The plugin under test."""
        return plugins.plugin(self.make_vif(0)[0].plugin)

    def states_what_it_wants(self) -> bool:
        """Whether the engine does the plugin's work."""
        return isinstance(self.plugin(), Plugin)

    def plug(self, number: int = 1) -> None:
        """os_vif.plug() of the VIF of that number."""
        os_vif.plug(*self.make_vif(number))

    def unplug(self, number: int = 1) -> None:
        """os_vif.unplug() of the VIF of that number."""
        os_vif.unplug(*self.make_vif(number))

    def expect(self, before: object, what: str) -> None:
        """Fails unless the host is as it was; ``what`` says when."""
        __tracebackhide__ = True
        now = self.snapshot()
        if now != before:
            pytest.fail(f"{what}, the host is not as it should be:\n{differences(before, now)}", pytrace=False)


def differences(before: Any, now: Any, where: str = "") -> str:
    """What differs, a line each."""
    if isinstance(before, dict) and isinstance(now, dict):
        names = sorted(str(name) for name in before.keys() | now.keys())
        parts = (differences(before.get(name), now.get(name), f"{where}/{name}") for name in names)
        return "\n".join(part for part in parts if part)
    return "" if before == now else f"  {where}: should be {before!r}, is {now!r}"


@contextlib.contextmanager
def _place_for(host: FakeHost | None) -> Iterator[None]:
    """A fake host is a place of its own. The machine's own network is not touched, whoever calls."""
    with contextlib.ExitStack() as stack:
        if host is None:
            try:
                stack.enter_context(own_namespace())
            except OSError as error:
                reason = f"no network namespace of its own ({error}): run as root, or `unshare -rn python -m pytest`"
                pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
        yield
