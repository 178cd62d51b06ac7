# SPDX-License-Identifier: Apache-2.0
"""Comparing wire forms: the order of ``changes`` means nothing."""

from __future__ import annotations

from typing import Any


def normal(wire: Any) -> Any:
    """``wire`` with all changes sorted."""
    if isinstance(wire, dict):
        return {key: sorted(item) if key.endswith(".changes") else normal(item) for key, item in wire.items()}
    return [normal(item) for item in wire] if isinstance(wire, list) else wire
