# SPDX-License-Identifier: Apache-2.0
"""Whoever reads the legacy keys beside the answer, as Nova does, comes to the same VIF as whoever reads the answer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from neutron_ml2.offering import answered, attach, offer
from os_vif.objects.vif import VIFBase
from support import missing

REPOSITORY = Path(__file__).resolve().parents[2]
_SLOT = {"pci_slot": "0000:03:10.2", "capabilities": ["switchdev"]}

CASES = {
    "tap by the plugin": ("ovs1", "ovs", {"device_by": ["plugin"]}, {}),
    "tap by the hypervisor": ("ovs1", "ovs", {"device_by": ["hypervisor"]}, {}),
    "bridge between": ("hybrid", "ovs-hybrid", {}, {}),
    "shared memory": ("dpdk1", "vhostuser", {}, {}),
    "tap in userspace": ("dpdk1", "ovs", {"device_by": ["hypervisor"]}, {}),
    "representor": ("nic", "ovs-hostdev", {}, _SLOT),
}


@pytest.fixture(scope="session")
def nova_python():
    python = REPOSITORY / ".venv-compat/bin/python"
    if not python.exists():
        missing("Nova is not installed in .venv-compat: make .venv-compat/.ready")
    return python


@pytest.mark.filterwarnings("ignore:VIFPortProfileOVSRepresentor is deprecated")
@pytest.mark.parametrize("case", CASES)
def test_old_and_new_readers_of_one_binding_plug_the_same(client, network, nova_python, case):
    host, name, limits, profile = CASES[case]
    offered = offer(host, name, limits={name: limits})
    vnic_type = {"binding:vnic_type": "direct"} if profile else {}
    port = client.create_port(network, **attach(offered, **profile), **vnic_type)
    mine = answered(port, offered).vif
    theirs = read_by_nova(nova_python, port, client.get(f"/networks/{network}").ok())
    assert plugged(mine) == plugged(theirs)


def read_by_nova(python, port, network):
    line = json.dumps({"port": port, "network": network})
    command = [python, "-W", "ignore", Path(__file__).with_name("nova_reader.py")]
    ran = subprocess.run(command, input=line, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return VIFBase.obj_from_primitive(json.loads(ran.stdout))


def plugged(vif: VIFBase) -> dict[str, Any]:
    """What decides how the VIF is plugged; a flag that is not set is off."""
    fields = (
        "id", "address", "plugin", "vif_name", "bridge_name", "path", "mode", "dev_type", "dev_address",
        "has_traffic_filtering",
    )  # fmt: skip
    network = ("id", "label", "bridge", "mtu", "should_provide_bridge", "should_provide_vlan")
    return {
        "class": vif.obj_name(),
        **_set(vif, fields),
        "network": _set(vif.network, network),
        "profile": _set(vif.port_profile, ("interface_id", "datapath_type", "create_port", "create_tap")),
        "offload": _set(_offload(vif), ("representor_name", "representor_address")),
    }


def _offload(vif: VIFBase) -> Any:
    return vif.port_profile.datapath_offload if "datapath_offload" in vif.port_profile else None


def _set(thing: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names if thing and name in thing and getattr(thing, name)}
