# SPDX-License-Identifier: Apache-2.0
"""A range of addresses on a network."""

from __future__ import annotations

from os_vif.objects.base import ObjectListBase, VersionedObject, register
from os_vif.objects.fields import (
    IPAddressField,
    IPNetworkField,
    ListOfIPAddressField,
    ListOfObjectsField,
    ObjectField,
)
from os_vif.objects.fixed_ip import FixedIPList
from os_vif.objects.route import RouteList


@register
class Subnet(VersionedObject):
    """A range of addresses, with what a guest in it needs to know."""

    cidr = IPNetworkField()
    dns = ListOfIPAddressField()
    gateway = IPAddressField()
    ips = ObjectField(FixedIPList)
    routes = ObjectField(RouteList)
    dhcp_server = IPAddressField()


@register
class SubnetList(ObjectListBase[Subnet]):
    """A list of :class:`Subnet`."""

    objects = ListOfObjectsField(Subnet)
