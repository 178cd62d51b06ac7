# SPDX-License-Identifier: Apache-2.0
"""VIFs for the Open vSwitch plugin, in one line each: ovs_vifs.native(create_port=True, mtu=1450)."""

from __future__ import annotations

from typing import Any

from os_vif.objects.network import Network
from os_vif.objects.vif import VIFBridge, VIFOpenVSwitch, VIFPortProfileOpenVSwitch, VIFVHostUser
from os_vif.plugins import names

BRIDGE, TRUNK = "br-int", "tbr-12345678-9"


def identity(number: int) -> str:
    """A UUID that differs at its beginning, which devices are named after: that of VIF 7 begins with 6d3e0007."""
    return f"6d3e{number:04x}-4c2d-4b8e-9d5e-3c1f0a9b8c7d"


def hybrid(*, number: int = 1, **rest: Any) -> VIFBridge:
    """A Linux bridge between guest and switch."""
    return VIFBridge(bridge_name=names.hybrid_bridge(identity(number)), **_common(number, **rest))


def native(*, number: int = 1, **rest: Any) -> VIFOpenVSwitch:
    """A port of the switch; ``create_port``, ``create_tap`` and ``multiqueue`` go into the port profile."""
    common = _common(number, **rest)
    return VIFOpenVSwitch(bridge_name=common["network"].bridge, **common)


def vhost_user(mode: str, *, number: int = 1, **rest: Any) -> VIFVHostUser:
    """A vhost-user port; ``mode`` is the hypervisor's, "server" or "client"."""
    return VIFVHostUser(mode=mode, path=f"/run/vhu/{names.vhost_user(identity(number))}", **_common(number, **rest))


def tap(number: int = 1) -> str:
    """The tap of a VIF."""
    return names.tap(identity(number))


def _common(
    number: int,
    *,
    bridge: str = BRIDGE,
    mtu: int | None = 1450,
    datapath: str | None = "netdev",
    interface_id: str | None = None,
    mac: str | None = None,
    **profile: Any,
) -> dict[str, Any]:
    if datapath is not None:
        profile["datapath_type"] = datapath
    network = {} if mtu is None else {"mtu": mtu}
    return {
        "id": identity(number),
        "plugin": "ovs",
        "address": mac or f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}",
        "vif_name": tap(number),
        "has_traffic_filtering": True,
        "preserve_on_delete": False,
        "active": True,
        "network": Network(id=identity(9000), bridge=bridge, **network),
        "port_profile": VIFPortProfileOpenVSwitch(interface_id=interface_id or identity(number), **profile),
    }
