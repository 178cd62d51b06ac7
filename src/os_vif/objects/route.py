# SPDX-License-Identifier: Apache-2.0
"""A static route."""

from __future__ import annotations

from os_vif.objects.base import ObjectListBase, VersionedObject, register
from os_vif.objects.fields import IPAddressField, IPNetworkField, ListOfObjectsField, StringField


@register
class Route(VersionedObject):
    """The way to ``cidr``: through ``gateway``, out of ``interface``."""

    cidr = IPNetworkField()
    gateway = IPAddressField()
    interface = StringField()


@register
class RouteList(ObjectListBase[Route]):
    """A list of :class:`Route`."""

    objects = ListOfObjectsField(Route)
