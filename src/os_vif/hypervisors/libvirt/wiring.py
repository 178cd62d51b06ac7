# SPDX-License-Identifier: Apache-2.0
"""The host's side of an interface: how each class of VIF is told to libvirt.

The plugin has plugged the VIF before; what is left to libvirt depends on who was to make the device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from os_vif.hypervisors.libvirt import versions
from os_vif.hypervisors.libvirt.reading import need, refuse, required
from os_vif.objects.reading import stated
from os_vif.objects.vif import (
    VIFBridge,
    VIFDirect,
    VIFGeneric,
    VIFHostDevice,
    VIFOpenVSwitch,
    VIFPortProfile8021Qbg,
    VIFPortProfile8021Qbh,
    VIFPortProfileOpenVSwitch,
    VIFVHostUser,
)

if TYPE_CHECKING:
    from os_vif.hypervisors.libvirt.host_devices import HostDevices
    from os_vif.hypervisors.libvirt.versions import Capabilities
    from os_vif.objects.vif import VIFBase


@dataclass(frozen=True)
class Wiring:
    """``type``: of <interface>; or "pci": the device is a <hostdev>, and no network interface to libvirt.

    ``source``, ``target``, ``virtualport``: attributes; of the latter "type" is its own, the rest its parameters'.
    ``pci``: the address of the device that is handed over. ``multi_queue``: whether a device that exists was made for
    several pairs of queues; None where nothing stands in the way of either.
    """

    type: str
    source: Mapping[str, str] = field(default_factory=dict)
    target: Mapping[str, str] = field(default_factory=dict)
    virtualport: Mapping[str, str] = field(default_factory=dict)
    pci: str = ""
    vlan: int | None = None
    multi_queue: bool | None = None

    @property
    def is_passed_through(self) -> bool:
        """Whether the guest sees the device itself, and not one that libvirt's hypervisor makes up."""
        return self.type in ("hostdev", "pci", "vdpa")


def wiring(vif: VIFBase, can: Capabilities, devices: HostDevices) -> Wiring:
    """How a VIF is wired. Raises CannotRender."""
    ways = {
        VIFGeneric: _generic,
        VIFBridge: _bridge,
        VIFOpenVSwitch: _open_vswitch,
        VIFVHostUser: _vhost_user,
        VIFDirect: _direct,
        VIFHostDevice: _host_device,
    }
    for taken, way in ways.items():
        if isinstance(vif, taken):
            return way(vif, can, devices)
    return refuse(vif, "libvirt knows no such interfaces.")


def _generic(vif: VIFBase, can: Capabilities, _: HostDevices) -> Wiring:
    """A tap made by our plugin; or one by that name, of which libvirt has always been told no more than that.

    libvirt makes the latter then. From 9.0.0 on it refuses one that is there already.
    """
    if vif.plugin == "tap":
        return _existing_tap(vif, can)
    return Wiring("ethernet", target={"dev": _name(vif)})


def _bridge(vif: VIFBase, _: Capabilities, __: HostDevices) -> Wiring:
    bridge = required(vif, "bridge_name", "because libvirt puts the tap into that bridge")
    return Wiring("bridge", source={"bridge": bridge}, target={"dev": _name(vif)})


def _open_vswitch(vif: VIFBase, can: Capabilities, _: HostDevices) -> Wiring:
    """Made all by the plugin, or its port only, or neither."""
    profile = required(vif, "port_profile", "because it says who makes the port")
    if not isinstance(profile, VIFPortProfileOpenVSwitch):
        refuse(vif, f"its port profile must be a VIFPortProfileOpenVSwitch, and is a {type(profile).__name__}.")
    if stated(profile, "create_tap"):
        return _existing_tap(vif, can)
    if stated(profile, "create_port"):
        need(can, versions.MAKES_TAP, vif)
        return Wiring("ethernet", target={"dev": _name(vif)})
    need(can, versions.OVS_PORT, vif)
    parameters = {
        "interfaceid": required(vif, "port_profile.interface_id", "because the network side goes by it"),
        "profileid": stated(profile, "profile_id"),
    }
    return Wiring(
        "bridge",
        source={"bridge": required(vif, "bridge_name", "because libvirt adds the port to that bridge")},
        target={"dev": _name(vif)},
        virtualport={"type": "openvswitch", **{name: str(value) for name, value in parameters.items() if value}},
    )


def _existing_tap(vif: VIFBase, can: Capabilities) -> Wiring:
    """Before libvirt could be told to leave it alone, it opened a tap that exists, and set its address and state."""
    left_alone = {"managed": "no"} if can.has(versions.EXISTING_DEVICE) else {}
    multi_queue = bool(stated(vif, "port_profile", "multiqueue"))
    return Wiring("ethernet", target={"dev": _name(vif), **left_alone}, multi_queue=multi_queue)


def _vhost_user(vif: VIFBase, can: Capabilities, _: HostDevices) -> Wiring:
    need(can, versions.VHOST_USER, vif)
    mode = required(vif, "mode", "because it says who makes the socket")
    path = required(vif, "path", "because the socket is there")
    name = stated(vif, "vif_name")
    return Wiring(
        "vhostuser",
        source={"type": "unix", "mode": str(mode), "path": path},
        target={"dev": name} if name else {},
    )


def _direct(vif: VIFBase, can: Capabilities, devices: HostDevices) -> Wiring:
    """A macvtap: the one that our plugin has made, or one that libvirt makes on top of a device."""
    if vif.plugin == "macvtap":
        need(can, versions.EXISTING_DEVICE, vif)
        return Wiring("ethernet", target={"dev": _name(vif), "managed": "no"})
    port = _virtualport(vif, can)
    mode = "vepa" if port.get("type") == "802.1Qbg" else str(stated(vif, "mode") or "passthrough")
    vlan = None
    if mode == "passthrough":
        need(can, versions.MACVTAP_PASSTHROUGH, vif)
        vlan = None if stated(vif, "vlan_name") else _vlan(vif, can, versions.VLAN_OF_MACVTAP)
    source = {"dev": _below_macvtap(vif, devices), "mode": mode}
    return Wiring("direct", source=source, virtualport=port, vlan=vlan)


def _below_macvtap(vif: VIFBase, devices: HostDevices) -> str:
    name = stated(vif, "vlan_name") or stated(vif, "network", "bridge_interface")
    if name:
        return str(name)
    why = "or vlan_name or network.bridge_interface, because a macvtap needs a device below it"
    address = required(vif, "dev_address", why)
    found = devices.netdev(address)
    if found is None:
        refuse(vif, f"there is no network device at PCI address {address} for a macvtap to be on.")
    return found


def _host_device(vif: VIFBase, can: Capabilities, devices: HostDevices) -> Wiring:
    """A virtual function, as network interface; as vDPA device where it was made one; or any PCI device."""
    address = str(required(vif, "dev_address", "because that is the device to hand over"))
    if stated(vif, "dev_type") == "generic":
        return Wiring("pci", pci=address)
    character_device = devices.vhost_vdpa(address)
    if character_device is not None:
        need(can, versions.VDPA, vif)
        return Wiring("vdpa", source={"dev": character_device})
    need(can, versions.HOSTDEV_INTERFACE, vif)
    # Where a switch has a port for it, the switch tags.
    switched = isinstance(stated(vif, "port_profile"), VIFPortProfileOpenVSwitch)
    vlan = None if switched else _vlan(vif, can, versions.VLAN)
    return Wiring("hostdev", pci=address, virtualport=_virtualport(vif, can), vlan=vlan)


def _virtualport(vif: VIFBase, can: Capabilities) -> dict[str, str]:
    """What an 802.1Qbg or 802.1Qbh switch is told of the guest, if it is one."""
    profile = stated(vif, "port_profile")
    fields = {
        VIFPortProfile8021Qbg: {
            "managerid": "manager_id",
            "typeid": "type_id",
            "typeidversion": "type_id_version",
            "instanceid": "instance_id",
        },
        VIFPortProfile8021Qbh: {"profileid": "profile_id"},
    }
    for known, names in fields.items():
        if isinstance(profile, known):
            need(can, versions.IEEE_SWITCH, vif)
            kind = known.__name__.removeprefix("VIFPortProfile8021")
            why = f"because the 802.1{kind} switch goes by it"
            values = {key: str(required(vif, f"port_profile.{name}", why)) for key, name in names.items()}
            return {"type": f"802.1{kind}", **values}
    return {}


def _vlan(vif: VIFBase, can: Capabilities, feature: versions.Feature) -> int | None:
    vlan = stated(vif, "network", "vlan")
    if vlan:
        need(can, feature, vif)
    return vlan or None


def _name(vif: VIFBase) -> str:
    return str(required(vif, "vif_name", "because it names the device"))
