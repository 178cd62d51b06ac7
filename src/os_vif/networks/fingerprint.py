# SPDX-License-Identifier: Apache-2.0
"""Knowing a request again, which a network driver keeps beside the binding that came of it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os_vif.negotiation.request import Request

#: Hexadecimal digits: enough to tell requests apart, and short, as Neutron's profiles have little room.
_LENGTH = 32


def fingerprint(request: Request) -> str:
    """The same for requests that ask for the same: which offer it was, and for how long, does not matter."""
    asked = request.obj_clone()
    asked.offer.generation, asked.offer.boot_id, asked.offer.lease = 0, "", 0
    asked.obj_reset_changes(recursive=True)
    whole = json.dumps(asked.obj_to_primitive(), sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:_LENGTH]
