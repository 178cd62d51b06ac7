# SPDX-License-Identifier: Apache-2.0
"""docs/neutron-client.md tells the truth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from networks_neutron.test_vifs import MACVTAP, wired
from os_vif.negotiation import profile
from os_vif.negotiation.binding_types import name_of
from os_vif.networks.neutron import ports, record, vifs
from os_vif.networks.neutron.options import OPTIONS

TEXT = (Path(__file__).resolve().parents[2] / "docs/neutron-client.md").read_text()
TABLE = TEXT.partition("## What is bound")[2].partition("##")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.splitlines() if line.startswith("| `")]


@pytest.mark.filterwarnings("ignore:VIFPortProfileOVSRepresentor is deprecated")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_is_bound_becomes_what_is_plugged(row):
    said, name, _ = (re.findall(r"`([^`]+)`", cell) for cell in row)
    words = [word for word in said if word in vifs._MAKERS]
    flags = {word: True for word in said if word.startswith(("ovs_", "vhostuser_"))}
    vnic_types = [word for word in said if word in ("direct", "vdpa", "macvtap") and word != said[0]] or ["normal"]
    for vif_type in [word for word in words if word not in vnic_types]:
        for vnic_type in vnic_types:
            vif = vifs.make(wired(vif_type, vnic_type, {**flags, **MACVTAP}))
            assert [name_of(vif.obj_name(), vif.plugin)] == name


def test_there_are_rows():
    assert len(ROWS) == 10


def test_options_and_words_are_the_real_ones():
    options = set(re.findall(r"^(cloud|endpoint|region_name|\w+) = ", TEXT, re.MULTILINE))
    assert options - {"network_driver", "host"} <= {option.name for option in OPTIONS}
    for word in (ports.WAITING, ports.SETTLED, ports.MOVING, profile.KEY, record.KEY, record.MIGRATING_TO):
        assert f"`{word}`" in TEXT
