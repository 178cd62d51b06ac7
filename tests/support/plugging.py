# SPDX-License-Identifier: Apache-2.0
"""A network namespace as a host that VIFs are plugged into, with an engine and a journal of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from oslo_config import cfg

from os_vif.host.access.host import RealHost
from os_vif.host.contract.operations import OperationFailed
from os_vif.host.contract.plan import Plan, Step
from os_vif.host.engine.engine import Engine
from os_vif.host.journal.journal import Journal
from os_vif.host.journal.locks import Locks
from os_vif.plugging import requests
from os_vif.plugin import Plugin
from support import vifs
from support.netns import Namespace

#: What a fault that a test injects is told to be.
FAULT = "the test's fault"


def configured(plugin: type[Plugin], **values: Any) -> Plugin:
    """A plugin whose options have the values given: configured(TapPlugin, owner=1000)."""
    conf = cfg.ConfigOpts()
    conf.register_opts(list(plugin.CONFIG_OPTS), group="plugin")
    conf([], project="os-vif-tests", default_config_files=[])
    for name, value in values.items():
        conf.set_override(name, value, group="plugin")
    return plugin(conf.plugin if plugin.CONFIG_OPTS else None)


class PlugHost:
    """Plugs into a namespace; every call is made by a thread inside it. Its network cards are those in ``sysfs``."""

    def __init__(self, namespace: Namespace, directory: Path, plugin: Plugin, *, sysfs: Path = Path("/sys")) -> None:
        self.ns = namespace
        self.plugin = plugin
        self.engine = Engine(RealHost(sysfs), Journal(directory / "journal.db"), Locks(directory / "locks"))

    def plug(self, *what: Any) -> Plan:
        """Plugs VIFs, all in one go. Raises what the engine raises."""
        return self._inside(lambda: self.engine.plug(self._requests(what)))

    def unplug(self, *what: Any) -> Plan:
        """Unplugs VIFs, all in one go."""
        batch = [requests.request_to_leave(self.plugin, vif, vifs.INSTANCE) for vif in what]
        return self._inside(lambda: self.engine.unplug(batch))

    def plan(self, *what: Any) -> list[str]:
        """What plugging would do now, in words."""
        return [step.text for step in self._inside(lambda: self.engine.plan(self._requests(what)))]

    @contextlib.contextmanager
    def failing_at(self, number: int) -> Iterator[None]:
        """While it lasts, the step of that number, counted from 0, is refused with FAULT."""
        self.engine.executor.observer = _Saboteur(number)
        try:
            yield
        finally:
            self.engine.executor.observer = None

    def _requests(self, what: tuple[Any, ...]) -> list[Any]:
        return [requests.request(self.plugin, vif, vifs.INSTANCE) for vif in what]

    def _inside(self, function: Callable[[], Plan]) -> Plan:
        return self.ns.inside(function)


class _Saboteur:
    def __init__(self, number: int) -> None:
        self._left = number

    def __call__(self, when: str, step: Step) -> None:
        if when == "before":
            if self._left == 0:
                raise OperationFailed(0, 5, FAULT)
            self._left -= 1
