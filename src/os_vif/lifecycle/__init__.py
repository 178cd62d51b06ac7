# SPDX-License-Identifier: Apache-2.0
"""The life of a guest's interface: attached, migrated, detached; and what brings the two sides together.

    sides = Sides.load(network="local", hypervisor="libvirt", host="host1")
    attached = attach(Wanted(guest, network="blue"), sides)
    print(attached.rendering.text)
    detach(attached.key, sides_of(attached))

Every call writes down what it is about to do before it does it. After a crash the same call finishes the work, and
detach() or abort() takes it back; see ``docs/adr/0008-lifecycle.md``.
"""

from __future__ import annotations

from os_vif.lifecycle.attaching import attach, detach
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase
from os_vif.lifecycle.collecting import Collected, collect
from os_vif.lifecycle.guests import Guests
from os_vif.lifecycle.migrating import abort, activate, prepare
from os_vif.lifecycle.parties import Parties
from os_vif.lifecycle.rebuilding import Rebuilding, Rebuilt, rebuild
from os_vif.lifecycle.services import check_services, collect_services, repair_services
from os_vif.lifecycle.spec import AttachmentSpec
from os_vif.lifecycle.verifying import Trouble, missing_devices, verify

__all__ = [
    "Attachment",
    "AttachmentSpec",
    "Attachments",
    "Collected",
    "Guests",
    "Parties",
    "Phase",
    "Rebuilding",
    "Rebuilt",
    "Trouble",
    "abort",
    "activate",
    "attach",
    "check_services",
    "collect",
    "collect_services",
    "detach",
    "missing_devices",
    "prepare",
    "rebuild",
    "repair_services",
    "verify",
]
