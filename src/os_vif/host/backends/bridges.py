# SPDX-License-Identifier: Apache-2.0
"""Who else is on a Linux bridge: what belongs to it and bears no mark may be needed by another journal's VIFs."""

from __future__ import annotations

from collections.abc import Sequence

from os_vif.host.access.host import HostAccess
from os_vif.host.contract.plan import Holding
from os_vif.host.journal import marks
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.state import Link


def needed_elsewhere(host: HostAccess, name: str, home: str, leaving: Sequence[Holding]) -> str:
    """Why the bridge, or a port of it, is another journal's as well; "" where nothing says so.

    A bridge of ours that leaves at the same time has been asked itself.
    """
    if any(isinstance(one.resource, Link) and one.resource.name == name and one.made for one in leaving):
        return ""
    bridge = host.get_link(name)
    if bridge is None:
        return ""
    for link in (bridge, *host.ports_of(bridge.index)):
        if others := _others(link, home):
            return f"journal {', '.join(others)} needs {link.name}"
    return ""


def _others(link: LinkInfo, home: str) -> list[str]:
    return marks.others_of(link, home) if marks.is_marked(link) else []
