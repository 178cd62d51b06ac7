# SPDX-License-Identifier: Apache-2.0
"""Telling a guest's neighbours that its addresses are its own from now on: they may still know who had them before.

On behalf of the guest, which may not have started yet, and through its Linux bridge, which does not learn from what the
host itself sends. A bridge of Open vSwitch would: it would take the host's own port for the guest's.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterator
from typing import Any

from os_vif.host.kernel import neighbours, rtnetlink
from os_vif.objects.reading import stated


def announce(vif: Any) -> None:
    """Neighbours do without where it cannot be told, as by who is not root."""
    bridge, mac = stated(vif, "bridge_name") or stated(vif, "network", "bridge"), stated(vif, "address")
    addresses = list(_addresses(vif))
    if not bridge or not mac or not addresses:
        return
    with contextlib.suppress(OSError):
        link = rtnetlink.get_link(str(bridge))
        if link is not None and link.kind == "bridge" and link.up:
            neighbours.announce(link.name, str(mac), addresses)


def _addresses(vif: Any) -> Iterator[neighbours.Address]:
    for subnet in stated(vif, "network", "subnets") or ():
        for fixed in stated(subnet, "ips") or ():
            yield ipaddress.ip_address(str(fixed.address))
