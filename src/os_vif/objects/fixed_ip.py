# SPDX-License-Identifier: Apache-2.0
"""An address of a port, and the floating addresses that lead to it."""

from __future__ import annotations

from os_vif.objects.base import ObjectListBase, VersionedObject, register
from os_vif.objects.fields import IPAddressField, ListOfIPAddressField, ListOfObjectsField


@register
class FixedIP(VersionedObject):
    """An address that is configured inside the guest."""

    address = IPAddressField()
    floating_ips = ListOfIPAddressField()


@register
class FixedIPList(ObjectListBase[FixedIP]):
    """A list of :class:`FixedIP`."""

    objects = ListOfObjectsField(FixedIP)
