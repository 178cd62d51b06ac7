# SPDX-License-Identifier: Apache-2.0
"""VIFs to plug in tests, in one line each: vifs.bridge("br0", bridge_interface="eth9", mtu=1450)."""

from __future__ import annotations

import uuid
from typing import Any

from os_vif.objects.instance_info import InstanceInfo
from os_vif.objects.network import Network
from os_vif.objects.vif import VIFBridge, VIFDirect, VIFGeneric

INSTANCE = InstanceInfo(uuid="5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d", name="guest-1", project_id="blue")


def identity(number: int) -> str:
    """A UUID that is recognized in messages: that of VIF 7 ends in 7."""
    return str(uuid.UUID(int=(0x6D3EF0A5 << 96) | (0x4C2D << 64) | number))


def bridge(name: str, *, number: int = 1, filtering: bool = False, **network: Any) -> VIFBridge:
    """A VIFBridge for the Linux bridge plugin, whose network asks for the bridge."""
    return VIFBridge(
        id=identity(number),
        address=f"52:54:00:00:00:{number:02x}",
        plugin="linux_bridge",
        vif_name=f"tap{number}",
        bridge_name=name,
        has_traffic_filtering=filtering,
        network=Network(**{"bridge": name, "should_provide_bridge": True, "multi_host": False, **network}),
    )


def generic(name: str = "tap1", *, number: int = 1, **fields: Any) -> VIFGeneric:
    """A VIFGeneric for the tap plugin."""
    return VIFGeneric(id=identity(number), address="52:54:00:00:00:01", plugin="tap", vif_name=name, **fields)


def direct(name: str = "mvt1", *, number: int = 1, mode: str = "bridge", **fields: Any) -> VIFDirect:
    """A VIFDirect for the macvtap plugin."""
    return VIFDirect(
        id=identity(number),
        address=f"52:54:00:00:00:{number:02x}",
        plugin="macvtap",
        vif_name=name,
        mode=mode,
        **fields,
    )
