# SPDX-License-Identifier: Apache-2.0
"""The kinds of field, and the constants of those with a closed list of values."""

from __future__ import annotations

from typing import Any

import netaddr

from os_vif.objects.fields.addresses import IPAddressField, IPNetworkField
from os_vif.objects.fields.containers import ListField, ListOfObjectsField, ObjectField
from os_vif.objects.fields.field import Field, UnspecifiedDefault, optional
from os_vif.objects.fields.scalars import (
    BooleanField,
    EnumField,
    IntegerField,
    MACAddressField,
    PCIAddressField,
    StringField,
    UUIDField,
)

__all__ = [
    "BooleanField",
    "EnumField",
    "Field",
    "IPAddressField",
    "IPNetworkField",
    "IntegerField",
    "ListField",
    "ListOfIPAddressField",
    "ListOfObjectsField",
    "MACAddressField",
    "ObjectField",
    "PCIAddressField",
    "StringField",
    "UUIDField",
    "UnspecifiedDefault",
    "VIFDirectMode",
    "VIFDirectModeField",
    "VIFHostDeviceDevType",
    "VIFHostDeviceDevTypeField",
    "VIFVHostUserMode",
    "VIFVHostUserModeField",
    "optional",
]


class ListOfIPAddressField(ListField[netaddr.IPAddress]):
    """A list of IP addresses."""

    def __init__(self, **options: Any) -> None:
        super().__init__(IPAddressField(), **options)


class VIFDirectMode:
    """How a VIFDirect is connected: macvtap in VEPA or bridge mode, or the device passed through."""

    VEPA = "vepa"
    PASSTHROUGH = "passthrough"
    BRIDGE = "bridge"
    ALL = (VEPA, PASSTHROUGH, BRIDGE)


class VIFVHostUserMode:
    """Which end of the vhost-user socket the hypervisor is."""

    CLIENT = "client"
    SERVER = "server"
    ALL = (CLIENT, SERVER)


class VIFHostDeviceDevType:
    """What kind of PCI device a VIFHostDevice is."""

    ETHERNET = "ethernet"
    GENERIC = "generic"
    ALL = (ETHERNET, GENERIC)


class VIFDirectModeField(EnumField):
    """One of :class:`VIFDirectMode`."""

    TYPE = "VIFDirectMode"
    VALUES = VIFDirectMode.ALL


class VIFVHostUserModeField(EnumField):
    """One of :class:`VIFVHostUserMode`."""

    TYPE = "VIFVHostUserMode"
    VALUES = VIFVHostUserMode.ALL


class VIFHostDeviceDevTypeField(EnumField):
    """One of :class:`VIFHostDeviceDevType`."""

    TYPE = "VIFHostDeviceDevType"
    VALUES = VIFHostDeviceDevType.ALL
