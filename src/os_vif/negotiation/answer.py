# SPDX-License-Identifier: Apache-2.0
"""The answer of the network side: the VIF of the candidate that was chosen, and why the ones before it were not."""

from __future__ import annotations

from os_vif.negotiation.message import Message
from os_vif.objects.base import register_apart
from os_vif.objects.fields import IntegerField, ListOfObjectsField, ObjectField, StringField
from os_vif.objects.vif import VIFBase


class Code:
    """Why a candidate was refused, for programs."""

    UNSUPPORTED = "unsupported-type"
    VIF_VERSION = "vif-version"
    PROFILE = "port-profile"
    PROFILE_VERSION = "port-profile-version"
    CONSTRAINT = "constraint"
    DEVICE = "device-by"
    PHYSICAL_NETWORK = "physical-network"
    POLICY = "policy"
    DRIVER = "driver"
    WITHDRAWN = "withdrawn"


@register_apart
class Refusal(Message):
    """``candidate``: its name. ``code``: one of Code. ``reason``: a sentence."""

    candidate = StringField()
    code = StringField()
    reason = StringField()


@register_apart
class Answer(Message):
    """``choice``: the candidate's name. ``vif``: what to plug; its id is the port's. ``vif_version``: it was sent in.

    ``generation``: the binding's; whoever activates it says it. ``readiness``: see Offer. ``refusals``: of candidates
    that the hypervisor would rather have had.
    """

    choice = StringField()
    vif = ObjectField(VIFBase, subclasses=True)
    vif_version = StringField()
    generation = IntegerField(default=1)
    readiness = StringField(default="plug")
    refusals = ListOfObjectsField(Refusal, default=[])
