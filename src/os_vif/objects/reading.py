# SPDX-License-Identifier: Apache-2.0
"""Reading an object of which any field may be unset: VIFs of old clients lack what newer ones always set."""

from __future__ import annotations

from typing import Any


def stated(obj: Any, *fields: str, default: Any = None) -> Any:
    """The value of a field, or of a field of a field; ``default`` where anything on the way is unset or None."""
    for field in fields:
        obj = getattr(obj, field, None)
    return default if obj is None else obj
