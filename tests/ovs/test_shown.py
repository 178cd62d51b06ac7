# SPDX-License-Identifier: Apache-2.0
"""`vif show` tells of VIFs on Open vSwitch, also where nothing of the process has met Open vSwitch before."""

from __future__ import annotations

import json

import pytest

from support import ovs_vifs
from support.vif_command import command

KINDS = {
    "hybrid": (ovs_vifs.hybrid(), {"bridge", "Open vSwitch bridge br-int", "port qvo6d3e0001-4c", "veth"}),
    "port": (ovs_vifs.native(create_port=True), {"Open vSwitch bridge br-int", "port tap6d3e0001-4c"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_vif_uses(switch, host, tmp_path, kind):
    """The bridge and the port are named as in every other place."""
    vif, expected = KINDS[kind]
    host.plug(vif)
    shown = switch.ns.run([command(), "--state-dir", tmp_path, "show", vif.id, "-o", "json"])
    labels = {one["resource"] for one in json.loads(shown.stdout)["resources"]}
    assert {want for want in expected if any(label.startswith(want) for label in labels)} == expected
