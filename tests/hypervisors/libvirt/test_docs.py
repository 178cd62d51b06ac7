# SPDX-License-Identifier: Apache-2.0
"""docs/libvirt.md: its commands are run as they are printed, on a host with a libvirt and the guests it speaks of."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from support.vif_command import command

PAGE = Path(__file__).resolve().parents[3] / "docs" / "libvirt.md"


def test_the_commands_of_the_page(libvirtd, ns, tmp_path):
    """A guest that runs gets its interface and lets go of it; moving one is shown by test_migrating.py."""
    here = PAGE.read_text().partition("## Move a guest")[0]
    lines = re.findall(r"^ {4}sudo (vif .*)$", here, re.M)
    assert len(lines) >= 5
    (tmp_path / "os-vif.conf").write_text(f"[os_vif_hypervisor_libvirt]\nuri = {libvirtd.uri}\n")
    environment = {
        **os.environ,
        "PATH": f"{Path(command()).parent}:{os.environ['PATH']}",
        "OS_VIF_CONFIG_DIR": str(tmp_path),
        "OS_VIF_STATE_DIR": str(tmp_path / "state"),
    }
    run = ["nsenter", f"--net=/run/netns/{ns.name}", "bash", "-c"]
    with libvirtd.guest("guest1") as guest:
        guest.wait()
        for line in lines:
            done = subprocess.run([*run, line], capture_output=True, text=True, check=False, env=environment)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            if line.startswith("vif attach guest1"):
                assert len(guest.cards()) == 1
        assert guest.cards() == set()
    for line in ("vif detach guest2", "vif network delete blue"):
        subprocess.run([*run, line], capture_output=True, text=True, check=True, env=environment)
