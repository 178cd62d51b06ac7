# SPDX-License-Identifier: Apache-2.0
"""The network that a VIF is plugged into."""

from __future__ import annotations

from os_vif.objects.base import VersionedObject, register
from os_vif.objects.fields import BooleanField, IntegerField, ObjectField, StringField, UUIDField, optional
from os_vif.objects.subnet import SubnetList


@register
class Network(VersionedObject):
    """A network.

    ``bridge``: the name of the bridge on the host. ``bridge_interface``: the host's interface that leads out of it.
    ``vlan``: the VLAN id, 1 to 4094. ``mtu``: in bytes; None leaves it to the configuration. A new Network has no
    subnets, no MTU, and is False in all three questions.
    """

    # 1.1: mtu
    VERSION = "1.1"
    obj_field_versions = {"mtu": "1.1"}

    id = UUIDField()
    bridge = StringField()
    label = StringField()
    subnets = ObjectField(SubnetList)
    multi_host = BooleanField()
    should_provide_bridge = BooleanField()
    should_provide_vlan = BooleanField()
    bridge_interface = optional(StringField())
    vlan = optional(IntegerField())
    mtu = optional(IntegerField())

    def _obj_start(self) -> None:
        state = self.__dict__
        for name in ("multi_host", "should_provide_bridge", "should_provide_vlan"):
            if "_obj_" + name not in state:
                setattr(self, name, False)
        if "_obj_mtu" not in state:
            self.mtu = None
        if "_obj_subnets" not in state:
            self.subnets = SubnetList(objects=[])
