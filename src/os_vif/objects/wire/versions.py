# SPDX-License-Identifier: Apache-2.0
"""Versions of objects: ``major.minor``, where a minor one only ever adds optional fields."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from os_vif import exception


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[int, int]:
    """``"1.4"`` as ``(1, 4)``. Raises ValueError for anything else."""
    major, dot, minor = text.partition(".")
    if not (dot and _number(major) and _number(minor)):
        raise ValueError(f"{text!r:.40} is not a version, such as 1.0")
    return int(major), int(minor)


def _number(digits: str) -> bool:
    # One way to write each: 1.00 is not another name for 1.0.
    return digits.isascii() and digits.isdigit() and len(digits) <= 6 and (digits == "0" or digits[0] != "0")


def is_older(version: str, than: str) -> bool:
    """Whether ``version`` comes before ``than``. Raises ValueError if one of them is no version."""
    return parse(version) < parse(than)


def check_target(cls: Any, target: str) -> None:
    """Raise unless objects of ``cls`` can be written at version ``target``.

    InvalidValue when it is no version at all, UnsupportedObjectVersion when it is not one of ``cls``.
    """
    try:
        wanted = parse(target)
    except (ValueError, AttributeError, TypeError) as error:
        raise exception.InvalidValue(field="target_version", reason=str(error)) from error
    newest = parse(cls.VERSION)
    if wanted[0] != newest[0] or wanted > newest:
        raise exception.UnsupportedObjectVersion(name=cls.obj_name(), version=target, known=cls.VERSION)
