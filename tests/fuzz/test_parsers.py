# SPDX-License-Identifier: Apache-2.0
"""Whatever is read: an error of ours, or something that can be used.

Every reader gets as many inputs as take some seconds in all. For longer: ``make fuzz``, with SECONDS for each reader
and SEED; what it finds names the seed and the number of the input.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fuzz.mutations import Mutator
from os_vif import exception, foreign, objects
from os_vif.host import state
from os_vif.host.kernel import filter_path, iptables, nftables
from os_vif.host.ovsdb import columns, rows
from os_vif.host.ovsdb.stream import Splitter
from os_vif.hypervisors.libvirt import connection, matching
from os_vif.hypervisors.qemu.qmp import Reply
from os_vif.lifecycle import attachments
from os_vif.negotiation import details, header, profile, short_form, structured_list
from os_vif.networks.neutron import ports, prediction, record, shapes, vifs
from os_vif.networks.neutron.binding import Wired
from os_vif.objects import codec, validate
from os_vif.testing.offers import offer

objects.register_all()


def _wires(value: Any) -> Iterator[Any]:
    """The wire forms of objects in a document, the outermost ones."""
    if isinstance(value, dict) and "versioned_object.name" in value:
        yield value
    else:
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from _wires(inner)


DATA = Path(__file__).parents[1] / "data"
WIRES = list(_wires(json.loads((DATA / "wire.json").read_text())))
PORT = json.loads((Path(__file__).parents[1] / "networks_neutron" / "port.json").read_text())

SEED = int(os.environ.get("OS_VIF_FUZZ_SEED", "1"))
SECONDS = float(os.environ.get("OS_VIF_FUZZ_SECONDS", "0"))
COUNT = 8000


@dataclass(frozen=True)
class Reading:
    """``make`` makes an input, ``read`` reads it. ``refusals``: what it may raise besides errors of ours."""

    make: Callable[[Mutator], Any]
    read: Callable[[Any], object]
    refusals: tuple[type[Exception], ...] = ()


def of_values(seeds: list[Any], read: Callable[[Any], object], *refusals: type[Exception]) -> Reading:
    plain = json.loads(json.dumps(seeds))
    return Reading(lambda mutator: mutator.value(plain), read, refusals)


def of_json(seeds: list[Any], read: Callable[[Any], object], *refusals: type[Exception]) -> Reading:
    return Reading(lambda mutator: mutator.json(seeds), read, refusals)


def of_texts(seeds: list[str], read: Callable[[Any], object], *refusals: type[Exception]) -> Reading:
    return Reading(lambda mutator: mutator.text(seeds), read, refusals)


def check_object(text: str) -> None:
    read = codec.loads(text)
    validate.problems(read)
    codec.dumps(read)


def check_resource(data: Any) -> None:
    resource = state.from_primitive(data)
    assert state.from_primitive(json.loads(json.dumps(state.to_primitive(resource)))) == resource


def check_port(body: Any) -> None:
    """What is looked at is not looked at again."""
    if not shapes.problem(body) and isinstance(body, dict) and isinstance(body.get("port"), dict):
        found = ports.shown(body["port"])
        assert isinstance((found.id, found.owner, found.key, found.ours, found.revision), tuple)
        for bound in found.bindings:
            assert bound.is_void in (True, False)
            wired = Wired(
                found.port, bound.vif_type, bound.vnic_type, bound.details, bound.profile, body.get("network") or {},
                body.get("subnets") or (),
            )  # fmt: skip
            vifs.make(wired)


def check_agents(body: Any) -> None:
    if not shapes.problem(body) and isinstance(body, dict):
        network, agents = body.get("network") or {}, body.get("agents") or []
        for vnic_type in ("normal", "direct", "macvtap"):
            prediction.Guessing("host", agents, network, vnic_type)._why_not()
            for agent in agents:
                list(prediction.Guessing("host", agents, network, vnic_type)._types(agent))


def check_rows(result: Any) -> None:
    if isinstance(result, list) and not columns.problem("Interface", list(ROW), result):
        for row in result:
            for column in ("external_ids", "options", "status"):
                assert all(isinstance(value, str) for value in rows.from_map(row[column]).values())
            for column in ("ofport", "error", "mtu_request", "tag"):
                rows.from_optional(row[column])
            list(rows.from_set(row["ports"]))
            assert isinstance(row["_uuid"][1], str)


def check_status(result: Any) -> None:
    for child in Reply({"found": result}, "qmp").each("found"):
        child.pick("name", str)
        child.pick("type", str)


def check_domain(text: str) -> None:
    matching.find(ElementTree.fromstring(INTERFACE), connection.parsed(text))


def check_table(text: str) -> None:
    table = iptables._parse(text.splitlines())
    packet = filter_path.Packet(entering="br0", leaving="eth0", source="10.0.0.5")
    filter_path.find_drop(table, packet, "os-vif-br0")


def check_ruleset(listed: Any) -> None:
    """As nft lists it; what is no list of objects is refused where it is read."""
    items = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    for family in ("ipv4", "ipv6", "bridge"):
        for one in nftables.filters_in(items, family):
            packet = filter_path.Packet(entering="br0", leaving="eth0", source="10.0.0.5")
            drop = filter_path.find_drop(one.table, packet, "", one.chain)
            assert not (drop and drop.rule) or one.handles[drop.chain][drop.number - 1] >= 0


def check_attachment(text: str) -> None:
    """As Attachments reads a row, but for who calls it."""
    store = attachments.Attachments(None)
    store._read("uuid/blue", text, "active")


ROW = {
    "_uuid": ["uuid", "0e5f3b8e-2f0d-4b0f-9a52-6f766969d0b5"], "name": "tap1", "type": "", "ofport": 1,
    "error": ["set", []],
    "external_ids": ["map", [["iface-id", "x"]]], "options": ["map", []], "status": ["map", []],
    "mtu_request": ["set", []],
    "ports": ["set", [["uuid", "a"], ["uuid", "b"]]], "tag": ["set", []],
}  # fmt: skip
AGENTS = {
    "network": {"id": "n", "name": "n", "provider:network_type": "vxlan",
                "segments": [{"provider:network_type": "vlan"}]},
    "agents": [
        {"agent_type": "Open vSwitch agent", "alive": True, "configurations": {
            "tunnel_types": ["vxlan"], "bridge_mappings": {"physnet": "br-ex"}, "ovs_hybrid_plug": True,
            "datapath_type": "netdev", "ovs_capabilities": {"iface_types": ["dpdkvhostuser"]}}},
        {"agent_type": "NIC Switch agent", "alive": True, "configurations": {"device_mappings": {"physnet": ["eth0"]}}},
        {"agent_type": "OVN Controller agent", "alive": False, "configurations": None},
    ],
}  # fmt: skip
BODY = {**PORT, "port": {**PORT["port"], "name": "", "device_id": "", "device_owner": "compute:os-vif-waiting"}}
OFFER = offer("ovs", "bridge", "tap", "vhostuser")
INTERFACE = (
    "<interface type='hostdev'><mac address='fa:16:3e:00:00:01'/><source>"
    "<address bus='1' slot='2'/></source></interface>"
)
DOMAIN = f"<domain><devices>{INTERFACE}<interface type='bridge'><target dev='tap1'/></interface></devices></domain>"
TABLE = (
    "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [1:2]\n:os-vif-br0 - [0:0]\n:DOCKER - [0:0]\n-A FORWARD -j DOCKER\n"
    '-A FORWARD -s 10.0.0.0/8 ! -i eth0 -m comment --comment "a b" -j REJECT --reject-with icmp-port-unreachable\n'
    "-A DOCKER -i tap+ -m state --state NEW -j RETURN\n-A FORWARD -j os-vif-br0\nCOMMIT\n"
)
RULESET = [
    {"metainfo": {"version": "1.0.6"}},
    {"chain": {"family": "inet", "table": "t", "name": "f", "handle": 1, "hook": "forward", "policy": "drop"}},
    {"chain": {"family": "inet", "table": "t", "name": "c", "handle": 2}},
    {"rule": {"family": "inet", "table": "t", "chain": "f", "handle": 3, "expr": [
        {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": {"set": ["br*", "eth9"]}}},
        {"counter": {"packets": 1, "bytes": 2}}, {"jump": {"target": "c"}}]}},
    {"rule": {"family": "inet", "table": "t", "chain": "c", "handle": 4, "expr": [
        {"match": {"op": "!=", "left": {"payload": {"protocol": "ip", "field": "saddr"}},
                   "right": {"prefix": {"addr": "10.9.0.0", "len": 16}}}}, {"reject": None}]}},
    {"rule": {"family": "inet", "table": "t", "chain": "f", "handle": 5, "expr": [
        {"vmap": {"key": {"ct": {"key": "state"}}, "data": {"set": [["established", {"accept": None}]]}}}]}},
]  # fmt: skip
RESOURCES = [
    state.to_primitive(one)
    for one in (
        state.Bridge(name="br0", shared=True, sysctls=state.NO_HOST_IP),
        state.Tap(name="tap1", master="br0", mtu=1400),
        state.Veth(name="a", peer="b"),
        state.ForwardingRules(family="ipv4", chain="os-vif-br0", rules=("-i br0 -j ACCEPT",), shared=True),
    )
]
ATTACHMENT = {
    "wanted": {
        "guest": {"name": "vm1", "uuid": "5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d", "options": {}}, "network": "blue",
        "ip_addresses": ["192.0.2.1"],
    },
    "network_driver": "local", "hypervisor": "qemu", "host": "a", "answer": None,
}  # fmt: skip

READERS = {
    "JSON": of_json([*WIRES[:5], AGENTS, PORT], foreign.parse_json, ValueError),
    "objects": of_json(WIRES, check_object),
    "short forms": of_values([short_form.shorten(one) for one in WIRES], lambda data: short_form.lengthen(data, "vif")),
    "headers": of_texts([header.render(OFFER), 'ovs;dev="plugin", tap;q=1', "a;b=?1;c=:YQ==:"], header.parse),
    "structured lists": of_texts([header.render(OFFER), 'a;b="c", d;e=1.5'], structured_list.parse, ValueError),
    "offers": of_values([profile.with_offer({}, OFFER)], profile.read_offer),
    "answers": of_values([{"os_vif": {"v": "1.0", "choice": "tap", "vif": short_form.shorten(one)}} for one in WIRES],
                         details.read_answer),
    "resources": of_values(RESOURCES, check_resource),
    "attachments": of_json([ATTACHMENT], check_attachment),
    "ports of Neutron": of_values([BODY], check_port, vifs.Untranslatable),
    "agents of Neutron": of_values([AGENTS], check_agents),
    "records in profiles": of_values([{record.KEY: {"key": "k", "ours": True, "generation": 1, "request": "r",
                                       "lapses_at": 1.5, "beside": ["a", 1]}}], record.read),
    "rows of OVSDB": of_values([[ROW, ROW]], check_rows),
    "messages of OVSDB": Reading(
        lambda mutator: mutator.json([{"id": 1, "result": [{"rows": [ROW]}], "error": None}]).encode("utf8", "replace"),
        lambda data: Splitter().feed(data), (ValueError,)),
    "replies of QEMU": of_values([[{"name": "card", "type": "child<x>"}]], check_status, OSError),
    "domains of libvirt": of_texts([DOMAIN], check_domain),
    "iptables": of_texts([TABLE], check_table),
    "nftables": of_values([RULESET], check_ruleset),
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_nothing_but_errors_of_ours(reader):
    """The input is told with its number and the seed, which make it again."""
    reading, mutator = READERS[reader], Mutator(SEED)
    end = time.monotonic() + SECONDS
    number = 0
    while number < COUNT or time.monotonic() < end:
        given = reading.make(mutator)
        try:
            reading.read(given)
        except (exception.ExceptionBase, *reading.refusals):
            pass
        except Exception as error:
            pytest.fail(f"{error!r:.300} of input {number} of seed {SEED}: {given!r:.2000}")
        number += 1


def test_a_reader_that_raises_something_else_is_found():
    """Else none of this would say anything."""
    READERS["careless"] = of_values([{"a": {"b": 1}}], lambda data: data["a"]["b"] + 1)
    try:
        with pytest.raises(pytest.fail.Exception, match="of seed"):
            test_nothing_but_errors_of_ours("careless")
    finally:
        del READERS["careless"]
