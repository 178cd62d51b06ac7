# SPDX-License-Identifier: Apache-2.0
"""What others make for a VIF, a hypervisor its guest's device: once it is there, it has to be as the VIF needs it.

It is looked at and mended, but never made, recorded or removed: it is not ours, and may come and go at any time.
"""

from __future__ import annotations

import dataclasses

from os_vif.host.contract.plan import Holding, Plan
from os_vif.host.engine import renamed
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.planner import Task, Work
from os_vif.host.engine.request import Request
from os_vif.host.state import HostState, Link


def look(engine: Engine, request: Request) -> Plan:
    """What mend() would do. Raises a HostError for what cannot be mended."""
    names = _names(engine, request)
    return _as_plan(Work(names) if names else _work(engine, request), request)


def mend(engine: Engine, request: Request) -> Plan:
    """Does it. Raises a HostError; the devices are then as they were."""
    with engine.holding(engine.scope(), [request]):
        names = _names(engine, request)
        engine.executor.do_or_undo(names)
        work = _work(engine, request)
        engine.executor.do_or_undo(work.tasks)
    return _as_plan(dataclasses.replace(work, tasks=(*names, *work.tasks)), request)


def _names(engine: Engine, request: Request) -> tuple[Task, ...]:
    """What gives the devices their names back."""
    holdings = [Holding(resource) for resource in request.desired]
    return renamed.tasks(engine.backends, [request], {request.vif_id: holdings})


def _work(engine: Engine, request: Request) -> Work:
    there = (r for r in request.desired if isinstance(r, Link) and engine.host.has_link(r.name))
    return engine.planner.plug([dataclasses.replace(request, desired=HostState(tuple(there)))], {})


def _as_plan(work: Work, request: Request) -> Plan:
    return work.as_plan("plug", [request.vif_id])
