# SPDX-License-Identifier: Apache-2.0
"""Whether a guest may be cut off by something that is not ours: each part of the host is looked at for its own signs.

Nothing is changed. What cannot be read is not guessed at.
"""

from __future__ import annotations

from collections.abc import Sequence

from os_vif.host.access.host import HostAccess
from os_vif.host.contract.degradation import Degradation
from os_vif.host.diagnosis import bridges, forwarding
from os_vif.host.state import Resource


def degradations(
    host: HostAccess, resources: Sequence[Resource], addresses: Sequence[str], context: str
) -> tuple[Degradation, ...]:
    """Of a VIF that states these resources, its guest's own device included, and has these IP addresses, if known."""
    found = [*bridges.look(host, resources), *forwarding.look(host, resources, addresses, context)]
    return tuple(dict.fromkeys(found))
