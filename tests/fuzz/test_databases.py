# SPDX-License-Identifier: Apache-2.0
"""What is in our databases may have been written by a disk that fails, by hand, or by a later os-vif."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from fuzz.test_parsers import SECONDS, SEED
from support import vifs
from support.parts import require_tun
from support.vif_command import command

COUNT = 12
HERE = Path(__file__)


def test_commands_end_with_errors_of_ours_whatever_is_in_the_databases(netns, new_netns, tmp_path):
    """The input is told with its number and the seed, which make it again."""
    require_tun()
    directory, guest, file = tmp_path / "state", new_netns(), tmp_path / "vif.json"
    given = {"vif": vifs.generic().obj_to_primitive(), "instance": vifs.INSTANCE.obj_to_primitive()}
    file.write_text(json.dumps(given))
    wanted = ["--hypervisor", "netns", "--endpoint", guest.name, "--network", "blue"]
    for words in (["network", "create", "blue", "--cidr", "192.0.2.0/24"], ["attach", "vm1", *wanted], ["plug", file]):
        netns.run([command(), *map(str, words), "--state-dir", str(directory)])
    arguments = [str(directory), str(SEED), str(COUNT), str(SECONDS)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    done = netns.run([sys.executable, str(HERE.with_name("spoilt_databases.py")), *arguments], env=environment)
    found = json.loads(done.stdout)
    assert list(found) == ["codes"], f"seed {SEED}: {found}"
    assert found["codes"].keys() >= {"0", "1"}
