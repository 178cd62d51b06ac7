# SPDX-License-Identifier: Apache-2.0
"""Versions that both sides have: ``major.minor``, where a newer minor one only adds optional fields."""

from __future__ import annotations

from collections.abc import Sequence

from os_vif import exception
from os_vif.objects.base import VersionedObject
from os_vif.objects.wire.versions import parse


def newest_common(cls: type[VersionedObject], lowest: str, highest: str) -> str | None:
    """The newest version of ``cls`` from ``lowest`` to ``highest``, or None. Raises ValueError if one is no version."""
    common = [version for version in cls.obj_versions() if is_within(version, lowest, highest)]
    return common[-1] if common else None


def is_within(version: str, lowest: str, highest: str) -> bool:
    """Whether ``version`` is from ``lowest`` to ``highest``. Raises ValueError if one of them is no version."""
    return parse(lowest) <= parse(version) <= parse(highest)


def class_of(name: str) -> type[VersionedObject] | None:
    """The class of the model with that name on the wire, or None."""
    try:
        found = VersionedObject.obj_class_from_name(name, "1.0")
    except exception.ObjectError:
        return None
    return found if issubclass(found, VersionedObject) else None


def told(versions: Sequence[str]) -> str:
    """Versions for a sentence."""
    return versions[0] if len(versions) == 1 else f"{versions[0]} to {versions[-1]}"


def told_range(lowest: str, highest: str) -> str:
    """As headers and keys write a range: ``1.0-1.4``."""
    return f"{lowest}-{highest}"


def parse_range(text: str) -> tuple[str, str]:
    """``1.0-1.4`` as a pair of versions. Raises ValueError."""
    lowest, dash, highest = text.partition("-")
    if not dash or parse(lowest) > parse(highest):
        raise ValueError(f"{text!r:.40} is not a range of versions, such as 1.0-1.4")
    return lowest, highest
