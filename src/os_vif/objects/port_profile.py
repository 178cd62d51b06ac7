# SPDX-License-Identifier: Apache-2.0
"""Port profiles: what a kind of network says of a port beyond what every VIF has.

Clients find these classes in :mod:`os_vif.objects.vif`.
"""

from __future__ import annotations

import warnings

from os_vif.objects.base import ComparableVersionedObject, VersionedObject, register
from os_vif.objects.fields import (
    BooleanField,
    IntegerField,
    MACAddressField,
    ObjectField,
    PCIAddressField,
    StringField,
    UUIDField,
    optional,
)


@register
class DatapathOffloadBase(VersionedObject, ComparableVersionedObject):
    """How a port's traffic bypasses the host."""


@register
class DatapathOffloadRepresentor(DatapathOffloadBase):
    """Offload with a representor: a device on the host that stands for a virtual function."""

    representor_name = optional(StringField())
    representor_address = optional(StringField())


@register
class VIFPortProfileBase(VersionedObject, ComparableVersionedObject):
    """What every port profile has."""

    # 1.1: datapath_offload
    VERSION = "1.1"
    obj_field_versions = {"datapath_offload": "1.1"}
    obj_relationships = {"datapath_offload": [("1.1", "1.0")]}

    datapath_offload = optional(ObjectField(DatapathOffloadBase, subclasses=True))


@register
class VIFPortProfileOpenVSwitch(VIFPortProfileBase):
    """A port of Open vSwitch.

    ``interface_id``: the port's id as the network side knows it. ``datapath_type``: ``system`` or ``netdev``.
    ``create_port``: whether we add the port, or the hypervisor does. ``create_tap``: whether we make the tap device
    too, with several queues if ``multiqueue``.
    """

    # 1.1: datapath_type; 1.2: datapath_offload; 1.3: create_port; 1.4: create_tap, multiqueue
    VERSION = "1.4"
    obj_field_versions = {
        "datapath_type": "1.1",
        "datapath_offload": "1.2",
        "create_port": "1.3",
        "create_tap": "1.4",
        "multiqueue": "1.4",
    }
    obj_relationships = {"datapath_offload": [("1.2", "1.0")]}

    interface_id = UUIDField()
    profile_id = StringField()
    datapath_type = optional(StringField())
    create_port = BooleanField(default=False)
    create_tap = BooleanField(default=False)
    multiqueue = BooleanField(default=False)


@register
class VIFPortProfileFPOpenVSwitch(VIFPortProfileOpenVSwitch):
    """A port of Open vSwitch accelerated by a fast path; its versions are those of the profile it extends."""

    bridge_name = StringField()
    hybrid_plug = BooleanField(default=False)


@register
class VIFPortProfileOVSRepresentor(VIFPortProfileOpenVSwitch):
    """Deprecated: use VIFPortProfileOpenVSwitch with a DatapathOffloadRepresentor."""

    representor_name = optional(StringField())
    representor_address = optional(PCIAddressField())

    def _obj_start(self) -> None:
        warnings.warn(
            "VIFPortProfileOVSRepresentor is deprecated: use VIFPortProfileOpenVSwitch with a "
            "DatapathOffloadRepresentor in datapath_offload",
            PendingDeprecationWarning,
            stacklevel=3,
        )


@register
class VIFPortProfileFPBridge(VIFPortProfileBase):
    """A port of a Linux bridge accelerated by a fast path."""

    bridge_name = StringField()


@register
class VIFPortProfileFPTap(VIFPortProfileBase):
    """A tap device accelerated by a fast path."""

    mac_address = optional(MACAddressField())


@register
class VIFPortProfile8021Qbg(VIFPortProfileBase):
    """A port of an IEEE 802.1Qbg (VEPA) switch."""

    manager_id = IntegerField()
    type_id = IntegerField()
    type_id_version = IntegerField()
    instance_id = UUIDField()


@register
class VIFPortProfile8021Qbh(VIFPortProfileBase):
    """A port of an IEEE 802.1Qbh (VN-tag) switch."""

    profile_id = StringField()


@register
class VIFPortProfileK8sDPDK(VIFPortProfileBase):
    """A DPDK port of a Kubernetes pod: whether its addresses are set up, and which pod it is."""

    l3_setup = BooleanField()
    selflink = StringField()
    resourceversion = StringField()
