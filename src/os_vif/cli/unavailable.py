# SPDX-License-Identifier: Apache-2.0
"""Telling, whatever the command, of what is recorded and of a backend that cannot be used here: it is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from os_vif.cli.output import Output

if TYPE_CHECKING:
    from os_vif.host.journal.journal import Stranded

#: How many are named.
_MOST = 3


def warn(output: Output, vif_id: str | None = None) -> None:
    """A line on stderr for each kind, in any form of output; of one VIF only, if it is given. Raises JournalError."""
    from os_vif.plugging import current

    engine = current.engine()
    kinds: dict[str, list[Stranded]] = {}
    for one in engine.journal.stranded(engine.scope().boot):
        if vif_id in (None, one.vif_id):
            kinds.setdefault(one.resource.kind, []).append(one)
    for kind, found in kinds.items():
        labels = list(dict.fromkeys(one.resource.label for one in found))
        users = list(dict.fromkeys(one.vif_id for one in found if one.vif_id))
        error = found[0].resource.error
        are = "is" if len(labels) == 1 else "are"
        output.warn(f"{_some(labels)} ({kind}) of {_vifs(users)} {are} left alone. {error} {error.hint}")


def _some(labels: Sequence[str]) -> str:
    more = len(labels) - _MOST
    return ", ".join(labels) if more <= 0 else f"{', '.join(labels[:_MOST])} and {more} more"


def _vifs(vif_ids: Sequence[str]) -> str:
    if len(vif_ids) == 1:
        return f"VIF {vif_ids[0]}"
    return f"{len(vif_ids)} VIFs" if vif_ids else "no VIF any more"
