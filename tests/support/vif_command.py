# SPDX-License-Identifier: Apache-2.0
"""Where the command is, what it is given, and how to run it without rights."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from support import missing

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
A, B = EXAMPLES / "guest-a.json", EXAMPLES / "guest-b.json"
ID_A, ID_B = "4c9f2e6a-1d3b-4b8e-9a57-6f0c2d8e1b34", "b7d08a15-93c4-4e2f-8b61-2a5e7f9c0d46"
BRIDGE, TAP = "brq2f6e8d1c-7a", "tap4c9f2e6a-1d"
CHAIN = f"os-vif-{BRIDGE}"


def command() -> str:
    """Where the installed command is."""
    found = shutil.which("vif", path=str(Path(sys.executable).parent))
    if found is None:
        missing(f"the command vif is not installed beside {sys.executable}: {sys.executable} -m pip install -e .")
    return found


def noop_vifs(count: int) -> list[dict[str, Any]]:
    """Serialized VIFs that need nothing on the host."""
    bare = json.loads(A.read_text())["vif"]
    made = []
    for number in range(count):
        one = copy.deepcopy(bare)
        one["versioned_object.data"] |= {
            "id": f"00000000-0000-4000-8000-{number:012}",
            "plugin": "noop",
            "vif_name": f"tap{number}",
        }
        made.append(one)
    return made


def without_rights() -> list[str]:
    """What to put before a command so that it runs as somebody who may not change the network.

    In a user namespace, not as another user: the project's files need not be readable for others.
    """
    prefix = ["unshare", "--user", "--map-user=1000"]
    if shutil.which("unshare") is None:
        missing("unshare is not installed: apt-get install --no-install-recommends util-linux")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False, env=os.environ).returncode:
        missing("user namespaces cannot be made here: sysctl -w kernel.unprivileged_userns_clone=1")
    return prefix
