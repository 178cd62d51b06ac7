# SPDX-License-Identifier: Apache-2.0
"""The offer: what a hypervisor, on one host, can use for one guest."""

from __future__ import annotations

from os_vif.negotiation.message import Message
from os_vif.objects.base import register_apart
from os_vif.objects.fields import (
    BooleanField,
    IntegerField,
    ListField,
    ListOfObjectsField,
    ObjectField,
    StringField,
    optional,
)
from os_vif.objects.host_info import HostVIFInfo

#: Who may make the device on the host: the plugin, or the hypervisor.
BY_PLUGIN, BY_HYPERVISOR = "plugin", "hypervisor"


@register_apart
class ObjectVersions(Message):
    """The newest version that is read of an object that may be inside a VIF, such as Network."""

    object_name = StringField()
    max_version = StringField()


@register_apart
class Constraints(Message):
    """What holds for one candidate; what is unset or None does not constrain.

    ``shared_memory``: whether the guest's memory is shared, which vhost-user needs. ``max_queues``: pairs of queues.
    ``guest_models``: what the guest may see, such as virtio; empty means any. ``max_mtu``: in bytes.
    ``device_by``: BY_PLUGIN and BY_HYPERVISOR, in order of preference: who can make the device on the host.
    """

    shared_memory = optional(BooleanField(default=None))
    max_queues = optional(IntegerField(default=None))
    guest_models = ListField(StringField(), default=[])
    max_mtu = optional(IntegerField(default=None))
    device_by = ListField(StringField(), default=[])


@register_apart
class Candidate(Message):
    """A binding type that the hypervisor can use: class of VIF, its versions, its port profiles, and the plugin."""

    name = StringField()
    vif = ObjectField(HostVIFInfo)
    plugin = StringField()
    constraints = ObjectField(Constraints, default=Constraints())


@register_apart
class Withdrawn(Message):
    """A binding type that the hypervisor would use if something were different on this host."""

    name = StringField()
    code = StringField()
    reason = StringField()


@register_apart
class Offer(Message):
    """What a hypervisor accepts, in its order of preference.

    ``host``: as the network side knows it. ``hypervisor``: name and version. ``boot_id`` and ``generation``: a newer
    offer of the same host supersedes. ``lease``: seconds after which a binding that nobody activated may be taken
    back. ``migration_methods``: "live", "cold". ``readiness``: when traffic is to flow: "none", "plug", "flows".
    ``nested``: the newest versions of objects inside VIFs; those that are not listed are as new as the VIF.
    """

    host = StringField()
    hypervisor = StringField()
    boot_id = StringField(default="")
    generation = IntegerField(default=1)
    lease = IntegerField(default=600)
    candidates = ListOfObjectsField(Candidate)
    withdrawn = ListOfObjectsField(Withdrawn, default=[])
    migration_methods = ListField(StringField(), default=[])
    readiness = StringField(default="plug")
    nested = ListOfObjectsField(ObjectVersions, default=[])
