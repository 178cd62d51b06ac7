# SPDX-License-Identifier: Apache-2.0
"""Fingerprints: a class's version and a digest of its schema.

Equal fingerprints mean equal fields; a field that changes without a new version shows as a new digest under an old
version. They are those of oslo.versionedobjects' ``fixture.ObjectVersionChecker``, so the two can be compared.
"""

from __future__ import annotations

import hashlib
from typing import Any

from os_vif.objects.wire.registry import CLASSES


def fingerprint(cls: type[Any]) -> str:
    """``version-digest`` of ``cls``."""
    # The second part stands for remotely callable methods, which no class of ours has. Lists have a third,
    # their children's versions, which has been empty for as long as there have been lists.
    parts: list[Any] = [sorted(cls.fields.items()), []]
    told = ", ".join(repr(part) for part in parts)
    if hasattr(cls, "child_versions"):
        told += ", OrderedDict()"
    digest = hashlib.md5(f"({told})".encode(), usedforsecurity=False).hexdigest()
    return f"{cls.VERSION}-{digest}"


def fingerprints() -> dict[str, str]:
    """The fingerprints of all registered classes, by name."""
    return {name: fingerprint(cls) for name, cls in sorted(CLASSES.items())}
