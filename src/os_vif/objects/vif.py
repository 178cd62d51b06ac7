# SPDX-License-Identifier: Apache-2.0
"""The VIFs: how a port of a network becomes a device that a guest can use."""

from __future__ import annotations

from os_vif.objects.base import ComparableVersionedObject, VersionedObject, register
from os_vif.objects.fields import (
    BooleanField,
    MACAddressField,
    ObjectField,
    PCIAddressField,
    StringField,
    UUIDField,
    VIFDirectModeField,
    VIFHostDeviceDevTypeField,
    VIFVHostUserModeField,
    optional,
)
from os_vif.objects.network import Network
from os_vif.objects.port_profile import (
    DatapathOffloadBase,
    DatapathOffloadRepresentor,
    VIFPortProfile8021Qbg,
    VIFPortProfile8021Qbh,
    VIFPortProfileBase,
    VIFPortProfileFPBridge,
    VIFPortProfileFPOpenVSwitch,
    VIFPortProfileFPTap,
    VIFPortProfileK8sDPDK,
    VIFPortProfileOpenVSwitch,
    VIFPortProfileOVSRepresentor,
)

__all__ = [
    "DatapathOffloadBase",
    "DatapathOffloadRepresentor",
    "VIFBase",
    "VIFBridge",
    "VIFDirect",
    "VIFGeneric",
    "VIFHostDevice",
    "VIFNestedDPDK",
    "VIFOpenVSwitch",
    "VIFPortProfile8021Qbg",
    "VIFPortProfile8021Qbh",
    "VIFPortProfileBase",
    "VIFPortProfileFPBridge",
    "VIFPortProfileFPOpenVSwitch",
    "VIFPortProfileFPTap",
    "VIFPortProfileK8sDPDK",
    "VIFPortProfileOVSRepresentor",
    "VIFPortProfileOpenVSwitch",
    "VIFVHostUser",
]


@register
class VIFBase(VersionedObject, ComparableVersionedObject):
    """What every VIF has.

    ``id``: the port's. ``address``: the guest's MAC address. ``plugin``: the name of the plugin that plugs it.
    ``active``: whether the link is up. ``preserve_on_delete``: the port was there before the instance and outlives
    it. ``has_traffic_filtering``: the network side filters, so the host need not. ``port_profile``: what the network
    side says of the port beyond that.
    """

    id = UUIDField()
    address = optional(MACAddressField())
    network = optional(ObjectField(Network))
    plugin = StringField()
    active = BooleanField(default=True)
    preserve_on_delete = BooleanField(default=False)
    has_traffic_filtering = BooleanField(default=False)
    port_profile = ObjectField(VIFPortProfileBase, subclasses=True)


@register
class VIFGeneric(VIFBase):
    """A tap device called ``vif_name``."""

    vif_name = StringField()


@register
class VIFBridge(VIFBase):
    """A tap device called ``vif_name`` in the Linux bridge ``bridge_name``."""

    vif_name = StringField()
    bridge_name = StringField()


@register
class VIFOpenVSwitch(VIFBase):
    """A port called ``vif_name`` of the Open vSwitch bridge ``bridge_name``."""

    vif_name = StringField()
    bridge_name = StringField()


@register
class VIFDirect(VIFBase):
    """A network device given to the guest through macvtap, or passed through.

    ``vif_name``: the macvtap device. ``dev_address``: the device underneath, by its PCI address. ``vlan_name``: the
    VLAN device to put between them.
    """

    vif_name = StringField()
    dev_address = PCIAddressField()
    mode = VIFDirectModeField()
    vlan_name = StringField()


@register
class VIFVHostUser(VIFBase):
    """A vhost-user port: the socket ``path``, and which end of it the hypervisor is."""

    # 1.1: vif_name
    VERSION = "1.1"
    obj_field_versions = {"vif_name": "1.1"}
    # Peers that know 1.0 are older than every later version of what is inside: those came afterwards, or
    # with the release that brought 1.1.
    obj_relationships = {"network": [("1.0", "1.0")], "port_profile": [("1.0", "1.0")]}

    vif_name = StringField()
    path = StringField()
    mode = VIFVHostUserModeField()


@register
class VIFHostDevice(VIFBase):
    """A PCI device, such as a virtual function, handed to the guest; ``dev_address`` is where it is."""

    dev_type = VIFHostDeviceDevTypeField()
    dev_address = PCIAddressField()


@register
class VIFNestedDPDK(VIFBase):
    """A device inside a virtual machine that a container in it drives with DPDK."""

    pci_address = StringField()
    dev_driver = StringField()
