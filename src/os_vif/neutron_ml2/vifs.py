# SPDX-License-Identifier: Apache-2.0
"""VIFs from what mechanism drivers would bind: Neutron's words of a port in, the object to plug out. Pure.

The table is Nova's (nova/network/os_vif_util.py in Nova 34), as far as mechanism drivers of today go; macvtap, tap and
virtual functions without Open vSwitch, which Nova plugs by itself, have plugins here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from os_vif.objects import vif as vifs
from os_vif.objects.network import Network
from os_vif.plugins import names

Details = Mapping[str, Any]
Port = Mapping[str, Any]

_MACVTAP_MODES = {"bridge": "bridge", "vepa": "vepa", "passthrough": "passthrough", "passthru": "passthrough"}
_INTEGRATION_BRIDGE = "br-int"


def make(vif_type: str, details: Details, port: Port, network: Mapping[str, Any]) -> vifs.VIFBase | None:
    """The VIF; None for what has no plugin here, and where something is missing that the plugin needs.

    ``port`` and ``network`` as Neutron shows them. Whoever makes the device on the host is not settled yet.
    """
    maker = _MAKERS.get(vif_type)
    return maker(details, port, network) if maker else None


def _ovs(details: Details, port: Port, network: Mapping[str, Any]) -> vifs.VIFBase | None:
    if port.get("binding:vnic_type") in ("direct", "vdpa"):
        return _representor(details, port, network)
    if port.get("binding:vnic_type", "normal") != "normal":
        return None
    bridge = details.get("bridge_name") or _INTEGRATION_BRIDGE
    common = _common(details, port, network, plugin="ovs", bridge=bridge) | {
        "vif_name": names.tap(port["id"]),
        "port_profile": _ovs_profile(details, port),
    }
    if details.get("ovs_hybrid_plug"):
        return vifs.VIFBridge(bridge_name=names.hybrid_bridge(port["id"]), **common)
    return vifs.VIFOpenVSwitch(bridge_name=bridge, **common)


def _representor(details: Details, port: Port, network: Mapping[str, Any]) -> vifs.VIFBase | None:
    address = _pci_slot(port)
    if address is None:
        return None
    profile = _ovs_profile(details, port)
    profile.datapath_offload = vifs.DatapathOffloadRepresentor(
        representor_name=names.tap(port["id"]), representor_address=address
    )
    bridge = details.get("bridge_name") or _INTEGRATION_BRIDGE
    common = _common(details, port, network, plugin="ovs", bridge=bridge)
    return vifs.VIFHostDevice(dev_type="ethernet", dev_address=address, port_profile=profile, **common)


def _ovs_profile(details: Details, port: Port) -> vifs.VIFPortProfileOpenVSwitch:
    return vifs.VIFPortProfileOpenVSwitch(interface_id=port["id"], datapath_type=details.get("datapath_type"))


def _vhost_user(details: Details, port: Port, network: Mapping[str, Any]) -> vifs.VIFBase | None:
    path = details.get("vhostuser_socket")
    if not path or details.get("vhostuser_fp_plug") or details.get("vhostuser_vrouter_plug"):
        return None
    mode = details.get("vhostuser_mode", "server")
    if not details.get("vhostuser_ovs_plug"):
        common = _common(details, port, network, plugin="noop")
        return vifs.VIFVHostUser(path=path, mode=mode, vif_name=names.tap(port["id"]), **common)
    common = _common(details, port, network, plugin="ovs", bridge=details.get("bridge_name") or _INTEGRATION_BRIDGE)
    profile = _ovs_profile(details, port)
    return vifs.VIFVHostUser(
        path=path, mode=mode, vif_name=names.vhost_user(port["id"]), port_profile=profile, **common
    )


def _bridge(details: Details, port: Port, network: Mapping[str, Any]) -> vifs.VIFBase:
    bridge = details.get("bridge_name") or names.network_bridge(network["id"])
    common = _common(details, port, network, plugin="linux_bridge", bridge=bridge, should_provide_bridge=True)
    return vifs.VIFBridge(vif_name=names.tap(port["id"]), bridge_name=bridge, **common)


def _tap(details: Details, port: Port, network: Mapping[str, Any]) -> vifs.VIFBase:
    return vifs.VIFGeneric(vif_name=names.tap(port["id"]), **_common(details, port, network, plugin="tap"))


def _macvtap(details: Details, port: Port, network: Mapping[str, Any]) -> vifs.VIFBase | None:
    mode = _MACVTAP_MODES.get(details.get("macvtap_mode", ""))
    source, interface = details.get("macvtap_source"), details.get("physical_interface")
    if not (mode and source and interface):
        return None
    vlan = int(details.get("vlan") or 0)
    below = {"bridge_interface": interface, **({"vlan": vlan} if vlan else {})}
    common = _common(details, port, network, plugin="macvtap", **below)
    return vifs.VIFDirect(
        vif_name=names.tap(port["id"]), mode=mode, **common, **({"vlan_name": source} if vlan else {})
    )


def _virtual_function(details: Details, port: Port, network: Mapping[str, Any]) -> vifs.VIFBase | None:
    address = _pci_slot(port)
    if address is None or not str(port.get("binding:vnic_type")).startswith("direct"):
        return None
    vlan = int(details.get("vlan") or 0)
    common = _common(details, port, network, plugin="noop", **({"vlan": vlan} if vlan else {}))
    return vifs.VIFHostDevice(dev_type="ethernet", dev_address=address, **common)


def _pci_slot(port: Port) -> str | None:
    return (port.get("binding:profile") or {}).get("pci_slot")


def _common(details: Details, port: Port, network: Mapping[str, Any], *, plugin: str, **more: Any) -> dict[str, Any]:
    """``more``: fields of Network that only some need."""
    return {
        "id": port["id"],
        "address": port["mac_address"],
        "network": Network(id=network["id"], label=network.get("name") or "", mtu=network.get("mtu"), **more),
        "plugin": plugin,
        "has_traffic_filtering": bool(details.get("port_filter", False)),
    }


_MAKERS: Mapping[str, Callable[[Details, Port, Mapping[str, Any]], vifs.VIFBase | None]] = {
    "ovs": _ovs,
    "vhostuser": _vhost_user,
    "bridge": _bridge,
    "tap": _tap,
    "macvtap": _macvtap,
    "hw_veb": _virtual_function,
    "hostdev_physical": _virtual_function,
}

#: The ``vif_type``s of Neutron that can come to a VIF.
TYPES = frozenset(_MAKERS)
