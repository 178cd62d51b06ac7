# SPDX-License-Identifier: Apache-2.0
"""Why a candidate was refused, for programs and for people."""

from __future__ import annotations

from os_vif.negotiation.message import Message
from os_vif.objects.base import register_apart
from os_vif.objects.fields import StringField


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
