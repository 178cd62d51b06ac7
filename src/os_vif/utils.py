# SPDX-License-Identifier: Apache-2.0
"""Bit masks; part of the interface that clients rely on."""

from __future__ import annotations


def set_mask(data: int, mask: int) -> int:
    """``data`` with the bits of ``mask`` set."""
    return data | mask


def unset_mask(data: int, mask: int) -> int:
    """``data`` with the bits of ``mask`` cleared."""
    return data & ~mask
