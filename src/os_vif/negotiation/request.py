# SPDX-License-Identifier: Apache-2.0
"""The request: bind this port, or a port of this network, on that host, in one of these ways."""

from __future__ import annotations

from os_vif.negotiation.message import Message
from os_vif.negotiation.offer import Offer
from os_vif.objects.base import register_apart
from os_vif.objects.fields import (
    EnumField,
    IntegerField,
    ListOfIPAddressField,
    MACAddressField,
    ObjectField,
    StringField,
    UUIDField,
    optional,
)
from os_vif.objects.instance_info import InstanceInfo


class Purpose:
    """ATTACH: the binding is the port's only one. MIGRATE: it is a second one, inactive until it is activated."""

    ATTACH = "attach"
    MIGRATE = "migrate"


class PurposeField(EnumField):
    """One of :class:`Purpose`."""

    TYPE = "Purpose"
    VALUES = (Purpose.ATTACH, Purpose.MIGRATE)


@register_apart
class Request(Message):
    """What is asked of a network driver.

    ``key``: names the attachment; the same key gets the same port, however often it is asked for.
    ``network``: name or id, unless ``port_id`` says which port. ``queues``: pairs of queues that the guest wants.
    ``guest_model``: the device that the guest is to see, such as virtio or e1000; empty leaves it to the hypervisor.
    ``mac_address``, ``ip_addresses``: wanted for a new port. ``vnic_type``: in Neutron's words: normal, direct.
    """

    key = StringField()
    offer = ObjectField(Offer)
    instance = ObjectField(InstanceInfo)
    network = StringField(default="")
    port_id = optional(UUIDField(default=None))
    purpose = PurposeField(default=Purpose.ATTACH)
    vnic_type = StringField(default="normal")
    queues = IntegerField(default=1)
    guest_model = StringField(default="")
    mac_address = optional(MACAddressField(default=None))
    ip_addresses = ListOfIPAddressField(default=[])
