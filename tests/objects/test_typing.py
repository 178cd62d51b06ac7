# SPDX-License-Identifier: Apache-2.0
"""The fields have types that a type checker knows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support import require

TYPES = {
    "bridge.id": "str",
    "bridge.address": "str | None",
    "bridge.active": "bool",
    "bridge.network": "os_vif.objects.network.Network | None",
    "bridge.port_profile": "os_vif.objects.port_profile.VIFPortProfileBase",
    "direct.dev_address": "str",
    "net.mtu": "int | None",
    "net.subnets[0].cidr": "netaddr.ip.IPNetwork",
    "net.subnets[0].dns": "list[netaddr.ip.IPAddress]",
    "net.subnets.objects": "list[os_vif.objects.subnet.Subnet]",
    "host.plugin_info[0].vif_info[0].min_version": "str",
    "vif.VIFBridge.id": "os_vif.objects.fields.scalars.UUIDField",
}


def test_a_type_checker_knows_what_is_in_a_field(tmp_path: Path) -> None:
    """mypy infers for every kind of field what it holds, None included where that is a value."""
    require(module="mypy")
    program = tmp_path / "program.py"
    lines = [
        "from os_vif.objects import host_info, network, vif",
        "bridge, direct, net, host = vif.VIFBridge(), vif.VIFDirect(), network.Network(), host_info.HostInfo()",
        *(f"reveal_type({expression})" for expression in TYPES),
    ]
    program.write_text("\n".join(lines))
    source = Path(__file__).resolve().parents[2] / "src"
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(program)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=source, check=False)
    revealed = [line.split('"')[1] for line in done.stdout.splitlines() if "Revealed type" in line]
    assert dict(zip(TYPES, revealed, strict=True)) == TYPES, done.stdout + done.stderr
