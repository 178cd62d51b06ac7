# SPDX-License-Identifier: Apache-2.0
"""What VIFs use and somebody renamed: it gets its name back before anything else is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.contract.backend import KnownBackend, Purpose
from os_vif.host.contract.plan import Holding
from os_vif.host.engine.executor import Executor
from os_vif.host.engine.planner import Leaving, Task
from os_vif.host.engine.request import Request

LOG = logger(__name__)


def tasks(
    backends: Mapping[str, KnownBackend], requests: Sequence[Request], held: Mapping[str, Sequence[Holding]]
) -> tuple[Task, ...]:
    """What gives the names back; ``held``: what is known to be used. Raises HostError where that cannot be done."""
    found: list[Task] = []
    done: set[str] = set()
    for request in requests:
        new = [holding for holding in held.get(request.vif_id, ()) if holding.resource.key not in done]
        done |= {holding.resource.key for holding in new}
        found += _tasks(backends, new, Purpose(request.vif_id, request.context))
    return tuple(found)


def _tasks(backends: Mapping[str, KnownBackend], holdings: Sequence[Holding], purpose: Purpose) -> list[Task]:
    found: list[Task] = []
    for name in dict.fromkeys(holding.resource.backend for holding in holdings):
        try:
            renames = getattr(backends[name], "renames", None)
        except exception.BackendUnavailable:
            continue  # whoever needs it is told when it is asked for what is there
        wanted = [holding for holding in holdings if holding.resource.backend == name]
        steps = renames(wanted, purpose) if renames else ()
        found += [Task(step, purpose.vif_id, purpose.context) for step in steps]
    return found


def name_back(backends: Mapping[str, KnownBackend], executor: Executor, leaving: Sequence[Leaving]) -> None:
    """The same for what was made for VIFs that leave, as far as it can be done: it is taken away by its name."""
    for one in leaving:
        made = [holding for holding in one.holdings if holding.made]
        errors: Sequence[exception.HostError]
        try:
            errors = executor.do_all(_tasks(backends, made, one.purpose))
        except exception.HostError as refusal:
            errors = [refusal]
        for error in errors:
            LOG.warning("Left behind, until `vif gc` finds it by its mark: %s", error)
