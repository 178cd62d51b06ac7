# SPDX-License-Identifier: Apache-2.0
"""A provision: one way in which the network side could wire a port."""

from __future__ import annotations

from dataclasses import dataclass

from os_vif.objects.vif import VIFBase, VIFPortProfileBase


@dataclass(frozen=True)
class Provision:
    """What the network side can do, and what it needs for that.

    ``profile``: the class of port profile that the VIF will have, if any. ``device_by``: who may make the device on the
    host, see Constraints; empty means that nobody needs to. ``needs_shared_memory``: as vhost-user does.
    ``refusal``: (code, sentence) where the network side knows the type and cannot provide it for this port.
    """

    name: str
    vif: type[VIFBase]
    profile: type[VIFPortProfileBase] | None = None
    device_by: tuple[str, ...] = ()
    needs_shared_memory: bool = False
    mtu: int | None = None
    max_queues: int | None = None
    refusal: tuple[str, str] | None = None
