# SPDX-License-Identifier: Apache-2.0
"""The tests run against the source, whether it is installed or not."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
