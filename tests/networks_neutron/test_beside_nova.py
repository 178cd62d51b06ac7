# SPDX-License-Identifier: Apache-2.0
"""Of whatever Neutron binds, we make the VIF that Nova makes of it, to the last field."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from os_vif import objects
from os_vif.networks.neutron import vifs
from os_vif.networks.neutron.binding import Wired
from support import missing

REPOSITORY = Path(__file__).resolve().parents[2]
objects.register_all()

#: What Nova hands to os-vif; no longer "bridge", which we still plug.
VIF_TYPES = ("ovs", "agilio_ovs", "vhostuser", "ivs", "vrouter")
VNIC_TYPES = ("normal", "direct", "vdpa", "remote-managed", "virtio-forwarder", "macvtap", "direct-physical")

ids = st.uuids().map(str)
flag = st.booleans()


def maybe(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=strategies)


details = maybe(
    port_filter=flag,
    ovs_hybrid_plug=flag,
    ovs_create_tap=flag,
    datapath_type=st.sampled_from(["system", "netdev"]),
    bridge_name=st.sampled_from(["br-int", "tbr-0f1e2d3c-4", "br-with-a-name-that-is-long"]),
    vhostuser_mode=st.sampled_from(["server", "client"]),
    vhostuser_socket=st.sampled_from(["/run/vhu1", ""]),
    vhostuser_ovs_plug=flag,
    vhostuser_fp_plug=flag,
    vhostuser_vrouter_plug=flag,
    connectivity=st.just("l2"),
)


@st.composite
def ports(draw: st.DrawFn) -> dict[str, Any]:
    network, kinds = draw(ids), draw(st.lists(st.sampled_from(["10.0.0.", "fd00::"]), unique=True))
    subnets = [_subnet(draw, network, start) for start in kinds]
    fixed_ips = [
        {"subnet_id": subnet["id"], "ip_address": start + str(last)}
        for subnet, start in zip(subnets, kinds, strict=True)
        for last in draw(st.lists(st.integers(2, 9), min_size=1, max_size=2, unique=True))
    ]
    port = {
        "id": draw(ids),
        "mac_address": "fa:16:3e:00:00:01",
        "network_id": network,
        "tenant_id": "blue",
        "status": draw(st.sampled_from(["DOWN", "ACTIVE"])),
        "admin_state_up": draw(flag),
        "fixed_ips": fixed_ips,
        "binding:vif_type": draw(st.sampled_from(VIF_TYPES)),
        "binding:vnic_type": draw(st.sampled_from(VNIC_TYPES)),
        "binding:vif_details": draw(details),
        "binding:profile": draw(maybe(pci_slot=st.just("0000:03:10.2"), capabilities=st.just(["switchdev"]))),
    }
    told = {
        "id": network,
        "name": draw(st.sampled_from(["blue", ""])),
        "tenant_id": "blue",
        **draw(maybe(mtu=st.just(1450))),
    }
    return {"port": port, "network": told, "subnets": subnets, "preserve": draw(flag)}


def _subnet(draw: st.DrawFn, network: str, start: str) -> dict[str, Any]:
    length = 24 if "." in start else 64
    routes = st.just(
        {"destination": f"{start}32/{length + 4}" if length == 64 else "10.9.0.0/16", "nexthop": f"{start}2"}
    )
    return {
        "id": draw(ids),
        "network_id": network,
        "cidr": f"{start}0/{length}" if "." in start else f"{start}/{length}",
        "gateway_ip": draw(st.sampled_from([None, f"{start}1"])),
        "dns_nameservers": draw(st.lists(st.just(f"{start}53"), max_size=1)),
        "host_routes": draw(st.lists(routes, max_size=1)) if "." in start else [],
    }


@pytest.fixture(scope="session")
def nova():
    """What Nova makes of a port, in the wire form."""
    python = REPOSITORY / ".venv-compat-upstream/bin/python"
    if not python.exists():
        missing("Nova is not installed in .venv-compat-upstream: make .venv-compat/.ready")
    command = [python, "-W", "ignore", Path(__file__).with_name("nova_worker.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:

        def ask(told: dict[str, Any]) -> dict[str, Any]:
            process.stdin.write(json.dumps(told) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            return answer

        yield ask
        process.stdin.close()


def ours(told: dict[str, Any]) -> Any:
    port = told["port"]
    wired = Wired(
        port=port,
        vif_type=port["binding:vif_type"],
        vnic_type=port["binding:vnic_type"],
        details=port["binding:vif_details"],
        profile=port["binding:profile"],
        network=told["network"],
        subnets=told["subnets"],
        preserve_on_delete=told["preserve"],
        active=port["status"] == "ACTIVE" or not port["admin_state_up"],
    )
    return vifs.make(wired).obj_to_primitive()


def comparable(wire: Any) -> Any:
    """Without the records of changes; Nova takes the order of subnets from Neutron's list."""
    if isinstance(wire, dict):
        return {key: comparable(value) for key, value in wire.items() if not key.endswith(".changes")}
    if isinstance(wire, list):
        return sorted((comparable(item) for item in wire), key=json.dumps)
    return wire


@pytest.mark.filterwarnings("ignore:VIFPortProfileOVSRepresentor is deprecated")
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(told=ports())
def test_the_vif_is_novas(nova, told):
    theirs = nova(told)
    try:
        mine = ours(told)
    except vifs.Untranslatable as error:
        event("refused by both")
        assert "error" in theirs, error
    else:
        event(mine["versioned_object.name"])
        assert "vif" in theirs, theirs
        assert comparable(mine) == comparable(theirs["vif"])


@pytest.mark.parametrize(
    "vif_type", ["tap", "macvtap", "hw_veb", "hostdev_physical", "802.1qbg", "802.1qbh", "unbound"]
)
def test_nova_leaves_these_to_itself(nova, vif_type):
    """So nothing can differ from what Nova makes of them; see test_vifs.py for what we make of them."""
    told = json.loads((Path(__file__).with_name("port.json")).read_text())
    told["port"]["binding:vif_type"] = vif_type
    assert nova(told) == {"vif": None}
