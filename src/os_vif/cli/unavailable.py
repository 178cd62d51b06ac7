# SPDX-License-Identifier: Apache-2.0
"""Telling, whatever the command, of what is recorded and of a backend that cannot be used here: it is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from os_vif.cli.output import Output

if TYPE_CHECKING:
    from os_vif.host.state import Unavailable

#: How many are named.
_MOST = 3


def warn(output: Output, vif_id: str | None = None) -> None:
    """A line on stderr for each kind, in any form of output; of one VIF only, if it is given. Raises JournalError."""
    from os_vif.plugging import current

    kinds: dict[str, list[tuple[str, Unavailable]]] = {}
    for user, resource in current.engine().journal.unavailable():
        if vif_id in (None, user):
            kinds.setdefault(resource.kind, []).append((user, resource))
    for kind, found in kinds.items():
        labels = list(dict.fromkeys(resource.label for _, resource in found))
        users = list(dict.fromkeys(user for user, _ in found if user))
        error = found[0][1].error
        are = "is" if len(labels) == 1 else "are"
        output.warn(f"{_some(labels)} ({kind}) of {_vifs(users)} {are} left alone. {error} {error.hint}")


def _some(labels: Sequence[str]) -> str:
    more = len(labels) - _MOST
    return ", ".join(labels) if more <= 0 else f"{', '.join(labels[:_MOST])} and {more} more"


def _vifs(vif_ids: Sequence[str]) -> str:
    if len(vif_ids) == 1:
        return f"VIF {vif_ids[0]}"
    return f"{len(vif_ids)} VIFs" if vif_ids else "no VIF any more"
