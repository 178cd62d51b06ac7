# SPDX-License-Identifier: Apache-2.0
"""Looking without touching: what plugging would do, and whether a host is as it should be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from os_vif import actions, exception, plugging

if TYPE_CHECKING:
    from os_vif.host.plan import Plan
    from os_vif.plugin import Plugin


@dataclass(frozen=True)
class CheckResult:
    """``differences`` say what is not as it should be, in words; ``repairable`` whether repair() can put it right."""

    vif_id: str
    differences: tuple[str, ...] = ()
    repairable: bool = True

    @property
    def ok(self) -> bool:
        """Whether there are no differences."""
        return not self.differences


def plan(vif: Any, instance_info: Any) -> Plan:
    """See os_vif.plan()."""
    return plan_many([(vif, instance_info)])


def plan_unplug(vif: Any, instance_info: Any) -> Plan:
    """See os_vif.plan_unplug()."""
    return plan_unplug_many([(vif, instance_info)])


def plan_many(pairs: Sequence[tuple[Any, Any]]) -> Plan:
    """See os_vif.plan_many()."""
    requests = [plugging.request(actions.declarative(vif), vif, info) for vif, info in pairs]
    return _only_looking(lambda: plugging.engine().plan(requests))


def plan_unplug_many(pairs: Sequence[tuple[Any, Any]]) -> Plan:
    """See os_vif.plan_unplug_many()."""
    requests = [plugging.request_to_leave(actions.declarative(vif), vif, info) for vif, info in pairs]
    return _only_looking(lambda: plugging.engine().plan_unplug(requests))


def check(vif: Any, instance_info: Any) -> CheckResult:
    """See os_vif.check()."""
    plugin, silent = actions.declarative(vif), plugging.is_silent(vif)
    try:
        request = plugging.request(plugin, vif, instance_info, silent=silent)
        steps = list(_only_looking(lambda: plugging.engine().plan([request])))
        if not silent:
            steps += _only_looking(lambda: _guest(plugin, vif, instance_info))
    except (exception.ForeignDevice, exception.DeviceMissing, exception.UplinkUnsuitable) as error:
        return CheckResult(plugging.identity(vif), (str(error),), repairable=False)
    return CheckResult(plugging.identity(vif), tuple(f"not done: {step.text}" for step in steps))


def _guest(plugin: Plugin, vif: Any, instance_info: Any) -> Plan:
    from os_vif.host import expected

    return expected.look(plugging.engine(), plugging.request_of_guest(plugin, vif, instance_info))


def _only_looking(look: Callable[[], Plan]) -> Plan:
    from os_vif.host import patience

    with patience.looking():
        return look()
