# SPDX-License-Identifier: Apache-2.0
"""What is written of a VIF in the journal, and whether it is still so."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Iterable, Iterator, Sequence

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.host.engine.planner import Task
from os_vif.host.engine.request import Request
from os_vif.host.journal.journal import PLUGGED, Record, Scope

LOG = logger(__name__)


def is_current(request: Request, record: Record | None) -> bool:
    """Whether the record says that the VIF is plugged as requested."""
    return (
        record is not None
        and record.status == PLUGGED
        and record.desired == request.desired_text
        and record.request == request.original_text
    )


def new_record(scope: Scope, request: Request, status: str, before: Record | None, tasks: Sequence[Task]) -> Record:
    """The record of a VIF that follows ``before``, one generation on."""
    return Record(
        vif_id=request.vif_id,
        plugin=request.plugin,
        context=request.context,
        status=status,
        generation=before.generation + 1 if before else 1,
        request=request.original_text,
        desired=request.desired_text,
        steps=json.dumps([task.step.to_primitive() for task in tasks if task.vif_id == request.vif_id]),
        changed=time.time(),
        scope=scope,
    )


def with_status(record: Record, status: str) -> Record:
    """The record, changed now."""
    return dataclasses.replace(record, status=status, changed=time.time())


@contextlib.contextmanager
def unplugging_in_any_case(vif_ids: Iterable[str]) -> Iterator[None]:
    """Around writing down that VIFs are unplugged: what is gone is gone, whether that can be written or not."""
    try:
        yield
    except exception.JournalError as error:
        LOG.warning(
            "VIF %s: unplugged, but that cannot be written down. %s %s The record stays until the VIF is unplugged once"
            " more, or is not among those that `vif gc --keep` is told of.",
            ", ".join(vif_ids),
            error,
            error.hint,
        )
