# SPDX-License-Identifier: Apache-2.0
"""Whether a guest may be cut off by something that is not ours: each part of the host is looked at for its own signs.

Nothing is changed. What cannot be read is not guessed at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from os_vif.host.access.host import HostAccess
from os_vif.host.contract.backend import KnownBackend
from os_vif.host.contract.degradation import Degradation, Guest
from os_vif.host.diagnosis import bridges, forwarding
from os_vif.host.state import Resource


def degradations(
    host: HostAccess, backends: Mapping[str, KnownBackend], resources: Sequence[Resource], guest: Guest, context: str
) -> tuple[Degradation, ...]:
    """Of a VIF that states these resources, its guest's own device included.

    Raises HostError where a part of the host cannot be asked.
    """
    found = [
        *bridges.look(host, resources),
        *forwarding.look(host, resources, guest.addresses, context),
        *_of_backends(backends, resources, guest),
    ]
    return tuple(dict.fromkeys(found))


def _of_backends(
    backends: Mapping[str, KnownBackend], resources: Sequence[Resource], guest: Guest
) -> Iterator[Degradation]:
    for name in dict.fromkeys(resource.backend for resource in resources):
        look = getattr(backends[name], "degradations", None)
        if look is not None:
            yield from look([resource for resource in resources if resource.backend == name], guest)
