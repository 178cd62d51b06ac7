# SPDX-License-Identifier: Apache-2.0
"""What all objects of negotiation have in common."""

from __future__ import annotations

from os_vif.objects.base import ComparableVersionedObject, VersionedObject
from os_vif.objects.fields import UnspecifiedDefault


class Message(VersionedObject, ComparableVersionedObject):
    """An object in which every field that has a default is set from the start."""

    def _obj_start(self) -> None:
        for name, field in self.fields.items():
            if name not in self and field.default is not UnspecifiedDefault:
                self.obj_set_defaults(name)
