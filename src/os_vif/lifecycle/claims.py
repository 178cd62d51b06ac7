# SPDX-License-Identifier: Apache-2.0
"""The VIFs that guests here are attached by: whatever the journal knows, they are needed."""

from __future__ import annotations

from os_vif.host.engine.orphans import Claims
from os_vif.lifecycle.attachments import Attachment, Attachments, Phase


def attached() -> list[Attachment]:
    """Those that have got as far as being plugged. Raises JournalError."""
    if not Attachments.are_kept():
        return []
    return [one for one in Attachments.here().all() if one.answer is not None and one.phase is not Phase.BINDING]


def claims() -> Claims:
    """By the record of attachments. Raises JournalError."""
    return Claims({str(one.bound.vif.id): f"guest {one.spec.guest.name} is attached by its VIF" for one in attached()})
