# SPDX-License-Identifier: Apache-2.0
"""What the tests share. `pythonpath` in pyproject.toml makes it importable: `from support import require`."""

from support.parts import missing, require, require_tun
from support.snapshot import differences

__all__ = ["differences", "missing", "require", "require_tun"]
