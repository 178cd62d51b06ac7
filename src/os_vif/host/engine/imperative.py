# SPDX-License-Identifier: Apache-2.0
"""Around the work of plugins that do it themselves: nobody else works on the VIF meanwhile, and it is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from os_vif import exception
from os_vif.host.engine.engine import Engine
from os_vif.host.engine.records import is_current, new_record, unplugging_in_any_case, with_status
from os_vif.host.engine.request import Request
from os_vif.host.journal.journal import PLUGGING, UNPLUGGING
from os_vif.host.process import signals


@contextlib.contextmanager
def plugging(engine: Engine, request: Request) -> Iterator[None]:
    """Around plugging. When it fails or is cut off the record stays unfinished: garbage collection has it unplugged."""
    scope = engine.scope()
    with engine.holding(scope, [request]), signals.deferred():
        known = engine.journal.record(scope, request.vif_id)
        current = is_current(request, known)
        if not current:
            engine.journal.write([(new_record(scope, request, PLUGGING, known, ()), ())])
        yield
        if not current:
            engine.journal.finish(scope, [request.vif_id], (), ())


@contextlib.contextmanager
def unplugging(engine: Engine, request: Request) -> Iterator[None]:
    """Around unplugging. The record goes when the work is done; a journal that cannot be used keeps nobody."""
    scope = engine.scope()
    with engine.holding(scope, [request], in_any_case=True), signals.deferred():
        with contextlib.suppress(exception.JournalError):
            known = engine.journal.record(scope, request.vif_id)
            if known:
                engine.journal.write([(with_status(known, UNPLUGGING), ())])
        yield
        with unplugging_in_any_case([request.vif_id]):
            engine.journal.forget(scope, request.vif_id, (), for_good=True)
