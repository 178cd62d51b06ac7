# SPDX-License-Identifier: Apache-2.0
"""Telling, whatever the command, of what names this journal and is not known to it: its records were lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from os_vif.cli.output import Output

if TYPE_CHECKING:
    from os_vif.host.engine.garbage import Finding

HINT = "`vif journal rebuild` makes the records anew; docs/operating.md tells more"


def found(*, switches: bool = True) -> Sequence[Finding]:
    """What of it there is on this host; ``switches``: also in Open vSwitch. Raises HostError."""
    if not switches:
        # By the journal and the kernel alone: who only lists shall not load the plugins.
        from os_vif.host.engine.garbage import GarbageCollector
        from os_vif.plugging import current

        return GarbageCollector(current.engine()).lost(switches=False)
    from os_vif.plugging import upkeep

    return upkeep.lost()


def warn(lost: Sequence[Finding], output: Output) -> None:
    """A line on stderr, in any form of output."""
    if not lost:
        return
    from os_vif.cli import recorded

    count = "1 device or port" if len(lost) == 1 else f"{len(lost)} devices and ports"
    text = f"The journal {recorded.place_of_journal()} has lost records: {count} on this host name it and are not in it"
    output.warn(f"{text}. {HINT}.")


def by_vif(lost: Sequence[Finding]) -> dict[str, list[str]]:
    """What there is of each VIF; of "" what is shared."""
    vifs: dict[str, list[str]] = {}
    for one in lost:
        vifs.setdefault(one.vif_id, []).append(one.what)
    return vifs


def differences(whats: Sequence[str]) -> list[str]:
    """The same as what differs on a host from what is recorded."""
    return [f"{what} names this journal, and no record knows it" for what in whats]


def results(lost: Sequence[Finding]) -> list[dict[str, Any]]:
    """Of each VIF, as `vif check` tells of those that are recorded; "" what is shared."""
    return [
        {
            "vif_id": vif_id or None,
            "ok": False,
            "recorded": False,
            "differences": differences(whats),
            "repairable": False,
            "note": "",
            "error": None,
        }
        for vif_id, whats in by_vif(lost).items()
    ]
