# SPDX-License-Identifier: Apache-2.0
"""The instance that a VIF belongs to."""

from __future__ import annotations

from os_vif.objects.base import VersionedObject, register
from os_vif.objects.fields import StringField, UUIDField


@register
class InstanceInfo(VersionedObject):
    """A virtual machine, or whatever else is at the other end of the VIF."""

    uuid = UUIDField()
    name = StringField()
    project_id = StringField()
