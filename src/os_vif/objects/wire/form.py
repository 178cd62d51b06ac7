# SPDX-License-Identifier: Apache-2.0
"""The words of the wire format.

An object on the wire is a mapping with the five keys below; ``changes`` is left out when there are none.
"""

from __future__ import annotations

from typing import Final

NAME: Final = "versioned_object.name"
NAMESPACE: Final = "versioned_object.namespace"
VERSION: Final = "versioned_object.version"
DATA: Final = "versioned_object.data"
CHANGES: Final = "versioned_object.changes"

MAX_DEPTH: Final = 32
"""How many objects may be inside each other; the deepest of ours has six."""
