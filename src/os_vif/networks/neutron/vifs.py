# SPDX-License-Identifier: Apache-2.0
"""VIFs from bindings of a Neutron that knows nothing of negotiation. Pure.

For the types that Nova hands to os-vif the VIF is the one that Nova makes (Nova 34, nova/network/os_vif_util.py), which
a differential test asks. Nova plugs tap, macvtap and virtual functions without a switch by itself; here they have
plugins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from os_vif.networks.neutron.binding import Wired, network_of
from os_vif.objects import vif as vifs
from os_vif.plugins import names

_MACVTAP_MODES = {"bridge": "bridge", "vepa": "vepa", "passthrough": "passthrough", "passthru": "passthrough"}
_ETHERNET = "ethernet"

#: Fields of the port profile, and libvirt's words for them, which the details have.
_8021QBG = {
    "manager_id": "managerid",
    "type_id": "typeid",
    "type_id_version": "typeidversion",
    "instance_id": "instanceid",
}


class Untranslatable(Exception):
    """Why a binding has no VIF, as a sentence."""


def make(wired: Wired) -> vifs.VIFBase:
    """The VIF of a binding. Raises Untranslatable."""
    maker = _MAKERS.get(wired.vif_type)
    if maker is None:
        raise Untranslatable(f"Neutron has bound {wired.vif_type}, and no plugin of os-vif plugs that.")
    try:
        return maker(wired)
    except (TypeError, ValueError) as error:  # mechanism drivers of third parties write whatever they like
        raise Untranslatable(f"What Neutron has bound as {wired.vif_type} cannot be read: {error}.") from error


# --- Open vSwitch -------------------------------------------------------------------------------------------


def _ovs(wired: Wired) -> vifs.VIFBase:
    if wired.vnic_type in ("direct", "vdpa"):
        return _representor(wired, "ovs")
    if wired.vnic_type == "remote-managed":
        return _function(wired, "noop")
    common = _common(wired, "ovs") | {"vif_name": names.tap(wired.id)}
    profile = _ovs_profile(wired, create_tap=bool(wired.details.get("ovs_create_tap", False)))
    if wired.details.get("ovs_hybrid_plug"):
        return vifs.VIFBridge(bridge_name=names.hybrid_bridge(wired.id), port_profile=profile, **common)
    profile.create_port = True
    return vifs.VIFOpenVSwitch(bridge_name=wired.bridge, port_profile=profile, **common)


def _agilio(wired: Wired) -> vifs.VIFBase:
    if wired.vnic_type == "direct":
        return _representor(wired, "agilio_ovs")
    if wired.vnic_type == "virtio-forwarder":
        return _vhost_user(wired, "agilio_ovs", port_profile=_representor_profile(wired))
    return _ovs(wired)


def _representor(wired: Wired, plugin: str) -> vifs.VIFBase:
    return _function(wired, plugin, port_profile=_representor_profile(wired))


def _representor_profile(wired: Wired) -> vifs.VIFPortProfileBase:
    return vifs.VIFPortProfileOVSRepresentor(
        interface_id=wired.id,
        representor_name=names.tap(wired.id),
        representor_address=_needed(wired.pci_slot, "its profile has no pci_slot"),
        datapath_offload=_offload(wired),
    )


def _offload(wired: Wired) -> vifs.DatapathOffloadRepresentor:
    address = _needed(wired.pci_slot, "its profile has no pci_slot")
    return vifs.DatapathOffloadRepresentor(representor_name=names.tap(wired.id), representor_address=address)


def _ovs_profile(wired: Wired, **more: Any) -> vifs.VIFPortProfileOpenVSwitch:
    return vifs.VIFPortProfileOpenVSwitch(
        interface_id=wired.id, datapath_type=wired.details.get("datapath_type"), **more
    )


# --- shared memory ------------------------------------------------------------------------------------------


def _shared_memory(wired: Wired) -> vifs.VIFBase:
    if wired.details.get("vhostuser_fp_plug"):
        return _vhost_user(wired, "vhostuser_fp", port_profile=_fast_path_profile(wired))
    if wired.details.get("vhostuser_ovs_plug"):
        return _vhost_user(wired, "ovs", name=names.vhost_user(wired.id), port_profile=_ovs_profile(wired))
    return _vhost_user(wired, "contrail_vrouter" if wired.details.get("vhostuser_vrouter_plug") else "noop")


def _vhost_user(wired: Wired, plugin: str, name: str = "", **more: Any) -> vifs.VIFBase:
    path = _needed(wired.details.get("vhostuser_socket"), "its details have no vhostuser_socket")
    mode = wired.details.get("vhostuser_mode", "server")
    return vifs.VIFVHostUser(
        path=path, mode=mode, vif_name=name or names.tap(wired.id), **more, **_common(wired, plugin)
    )


def _fast_path_profile(wired: Wired) -> vifs.VIFPortProfileBase:
    if not wired.details.get("vhostuser_ovs_plug"):
        return vifs.VIFPortProfileFPBridge(bridge_name=wired.bridge)
    hybrid = bool(wired.details.get("ovs_hybrid_plug"))
    return vifs.VIFPortProfileFPOpenVSwitch(
        interface_id=wired.id,
        datapath_type=wired.details.get("datapath_type"),
        bridge_name=names.hybrid_bridge(wired.id) if hybrid else wired.bridge,
        hybrid_plug=hybrid,
    )


# --- other switches -----------------------------------------------------------------------------------------


def _ivs(wired: Wired) -> vifs.VIFBase:
    common = _common(wired, "ivs") | {"vif_name": names.tap(wired.id)}
    if wired.details.get("ovs_hybrid_plug"):
        return vifs.VIFBridge(bridge_name=names.hybrid_bridge(wired.id), **common)
    return vifs.VIFGeneric(**common)


def _vrouter(wired: Wired) -> vifs.VIFBase:
    if wired.vnic_type == "normal":
        return vifs.VIFGeneric(vif_name=names.tap(wired.id), **_common(wired, "vrouter"))
    if wired.vnic_type not in ("direct", "virtio-forwarder"):
        raise Untranslatable(f"Neutron has bound vrouter for vNICs of type {wired.vnic_type}, which it cannot have.")
    profile = vifs.VIFPortProfileBase(datapath_offload=_offload(wired))
    if wired.vnic_type == "direct":
        return _function(wired, "vrouter", port_profile=profile)
    return _vhost_user(wired, "vrouter", port_profile=profile)


def _bridge(wired: Wired) -> vifs.VIFBase:
    """Neutron's own Linux bridge driver is gone; those of others say the same."""
    common = _common(wired, "linux_bridge", should_provide_bridge=True)
    return vifs.VIFBridge(vif_name=names.tap(wired.id), bridge_name=wired.bridge, **common)


# --- what Nova plugs by itself ------------------------------------------------------------------------------


def _tap(wired: Wired) -> vifs.VIFBase:
    address = wired.details.get("mac_address")
    profile = {"port_profile": vifs.VIFPortProfileFPTap(mac_address=address)} if address else {}
    return vifs.VIFGeneric(vif_name=names.tap(wired.id), **profile, **_common(wired, "tap"))


def _macvtap(wired: Wired) -> vifs.VIFBase:
    told = wired.details
    source = _needed(told.get("macvtap_source"), "its details have no macvtap_source")
    interface = _needed(told.get("physical_interface"), "its details have no physical_interface")
    mode = _needed(_MACVTAP_MODES.get(told.get("macvtap_mode", "")), "its details have no macvtap_mode that is known")
    vlan = _vlan(wired)
    tagged = {"vlan_name": source} if vlan else {}
    common = _common(wired, "macvtap", bridge_interface=interface, **vlan)
    return vifs.VIFDirect(vif_name=names.tap(wired.id), mode=mode, **tagged, **common)


def _virtual_function(wired: Wired) -> vifs.VIFBase:
    if wired.vnic_type != "macvtap":
        return _function(wired, "noop", of_network=_vlan(wired))
    if _vlan(wired):
        raise Untranslatable("Neutron has bound a macvtap on a virtual function in a VLAN, which nobody here can set.")
    address = _needed(wired.pci_slot, "its profile has no pci_slot")
    common = _common(wired, "macvtap")
    return vifs.VIFDirect(vif_name=names.tap(wired.id), mode="passthrough", dev_address=address, **common)


def _8021qbg(wired: Wired) -> vifs.VIFBase:
    told = {field: wired.details[key] for field, key in _8021QBG.items() if key in wired.details}
    profile = vifs.VIFPortProfile8021Qbg(**told)
    common = _common(wired, "noop")
    return vifs.VIFDirect(vif_name=names.tap(wired.id), mode="vepa", port_profile=profile, **common)


def _8021qbh(wired: Wired) -> vifs.VIFBase:
    profile = vifs.VIFPortProfile8021Qbh(profile_id=_needed(wired.details.get("profileid"), "it has no profileid"))
    if wired.vnic_type == "direct":
        return _function(wired, "noop", port_profile=profile)
    common = _common(wired, "noop")
    return vifs.VIFDirect(vif_name=names.tap(wired.id), mode="passthrough", port_profile=profile, **common)


# --- what they have in common -------------------------------------------------------------------------------


def _function(
    wired: Wired,
    plugin: str,
    port_profile: vifs.VIFPortProfileBase | None = None,
    of_network: Mapping[str, Any] | None = None,
) -> vifs.VIFBase:
    address = _needed(wired.pci_slot, "its profile has no pci_slot")
    profile = {} if port_profile is None else {"port_profile": port_profile}
    return vifs.VIFHostDevice(
        dev_type=_ETHERNET, dev_address=address, **profile, **_common(wired, plugin, **(of_network or {}))
    )


def _common(wired: Wired, plugin: str, **of_network: Any) -> dict[str, Any]:
    return {
        "id": wired.id,
        "address": wired.port["mac_address"],
        "network": network_of(wired, **of_network),
        "plugin": plugin,
        "active": wired.active,
        "preserve_on_delete": wired.preserve_on_delete,
        "has_traffic_filtering": bool(wired.details.get("port_filter", False)),
    }


def _vlan(wired: Wired) -> dict[str, int]:
    """Virtual functions in a flat network have VLAN 0, as text."""
    vlan = int(wired.details.get("vlan") or 0)
    return {"vlan": vlan} if vlan else {}


def _needed(value: Any, otherwise: str) -> Any:
    if not value:
        raise Untranslatable(f"What Neutron has bound cannot be plugged: {otherwise}.")
    return value


_MAKERS: Mapping[str, Callable[[Wired], vifs.VIFBase]] = {
    "ovs": _ovs,
    "agilio_ovs": _agilio,
    "vhostuser": _shared_memory,
    "ivs": _ivs,
    "vrouter": _vrouter,
    "bridge": _bridge,
    "tap": _tap,
    "macvtap": _macvtap,
    "hw_veb": _virtual_function,
    "hostdev_physical": _virtual_function,
    "802.1qbg": _8021qbg,
    "802.1qbh": _8021qbh,
}
