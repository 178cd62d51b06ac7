# SPDX-License-Identifier: Apache-2.0
"""The VIFs that guests here are attached by: whatever the journal knows, they are needed."""

from __future__ import annotations

from os_vif.host.orphans import Claims
from os_vif.lifecycle.attachments import Attachments


def claims() -> Claims:
    """By the record of attachments. Raises JournalError."""
    if not Attachments.are_kept():
        return Claims()
    found = [one for one in Attachments.here().all() if one.answer is not None]
    return Claims({str(one.bound.vif.id): f"guest {one.wanted.guest.name} is attached by its VIF" for one in found})
