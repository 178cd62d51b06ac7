# SPDX-License-Identifier: Apache-2.0
"""What the planner knows of Open vSwitch: the rows that a plan concerns.

They are read in one question, and a second one where somebody else has made a port: what ours is called is known.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from os_vif.host.ovsdb.database import Database
from os_vif.host.ovsdb.rows import Row, from_map, from_optional, from_set, ref, row_id, select, to_map
from os_vif.host.process.deadline import Deadline
from os_vif.host.state.ovs import INTERFACE_COLUMNS, OvsBridge, OvsPort, OvsResource

#: The key in external_ids by which we know what we made; its value is the id of the VIF, or SHARED.
MARK, SHARED = "os-vif", "shared"
#: The key in external_ids of a port for the journal that tells of it: one switch may serve several.
HOME = "os-vif-journal"

#: The namespace of the ids of QoS rows. Upstream os-vif has used it since 3.2.0, and rows outlive upgrades.
_QOS_NAMESPACE = uuid.UUID("68da264a-847f-42a8-8ab0-5e774aee3d95")

_BRIDGE = ("_uuid", "name", "datapath_type", "external_ids", "ports")
_PORT = ("_uuid", "name", "external_ids", "qos")
_INTERFACE = ("_uuid", "name", "type", "options", "external_ids", *INTERFACE_COLUMNS, "ofport", "error")


@dataclass(frozen=True)
class BridgeRow:
    """A bridge as it is. ``ports`` are the UUIDs of its ports."""

    row: str
    name: str
    datapath_type: str
    external_ids: dict[str, str]
    ports: tuple[str, ...]


@dataclass(frozen=True)
class PortRow:
    """A port and its interface as they are. ``bridge`` is the name of the bridge it belongs to.

    ``columns`` are those of the interface that a plugin may state: INTERFACE_COLUMNS.
    """

    row: str
    name: str
    external_ids: dict[str, str]
    bridge: str
    type: str
    options: dict[str, str]
    interface_ids: dict[str, str]
    columns: Mapping[str, Any]
    error: str


@dataclass(frozen=True)
class OvsView:
    """The rows that a plan concerns, by name, and what this Open vSwitch can do."""

    bridges: Mapping[str, BridgeRow] = field(default_factory=dict)
    ports: Mapping[str, PortRow] = field(default_factory=dict)
    #: The UUID of the QoS row that a port has, or that is left of an earlier port of its name.
    qos: Mapping[str, str] = field(default_factory=dict)
    interface_types: frozenset[str] = frozenset()
    datapath_types: frozenset[str] = frozenset()


def read(database: Database, resources: Sequence[OvsResource], deadline: Deadline) -> OvsView:
    """Reads what the resources concern. Raises TransactionFailed, DeadlineExceeded, OSError."""
    bridges = sorted({name for r in resources for name in _bridges_of(r)})
    ports = sorted({r.name for r in resources if isinstance(r, OvsPort)})
    with_qos = sorted({r.name for r in resources if isinstance(r, OvsPort) and r.qos_type})
    expected = [row_id("Port", name) for name in ports]
    questions = {
        "switch": [select("Open_vSwitch", [], ["datapath_types", "iface_types"])],
        "bridges": [select("Bridge", [["name", "==", name]], _BRIDGE) for name in bridges],
        "ports": [select("Port", [["name", "==", name]], _PORT) for name in ports],
        "interfaces": [select("Interface", [["name", "==", name]], _INTERFACE) for name in ports],
        "qos": [select("QoS", qos_of(name), ["_uuid"]) for name in with_qos],
        "homes": [_home_of(row) for row in expected],
    }
    results = iter(database.transact([row for rows in questions.values() for row in rows], deadline))
    answers = {topic: [next(results)["rows"] for _ in rows] for topic, rows in questions.items()}
    interfaces = {row["name"]: row for rows in answers["interfaces"] for row in rows}
    found_ports = [row for rows in answers["ports"] for row in rows]
    homes = {row: home["name"] for row, homes in zip(expected, answers["homes"], strict=True) for home in homes}
    homes |= _homes(database, {row["_uuid"][1] for row in found_ports}.difference(expected), deadline)
    return OvsView(
        {row["name"]: _bridge(row) for rows in answers["bridges"] for row in rows},
        {row["name"]: _port(row, interfaces.get(row["name"], {}), homes) for row in found_ports},
        {name: row["_uuid"][1] for name, rows in zip(with_qos, answers["qos"], strict=True) for row in rows},
        _kinds(answers["switch"][0], "iface_types"),
        _kinds(answers["switch"][0], "datapath_types"),
    )


def qos_of(port: str) -> list[Any]:
    """The condition that holds for the QoS row of a port."""
    return [["external_ids", "includes", to_map({"id": qos_id(port)})]]


def qos_id(port: str) -> str:
    """The id, in external_ids, of the QoS row of a port."""
    return str(uuid.uuid5(_QOS_NAMESPACE, port))


def ports_by_row(database: Database, rows: Sequence[str], deadline: Deadline) -> list[str]:
    """The names of ports by their UUIDs."""
    questions = [select("Port", [["_uuid", "==", ref(row)]], ["name"]) for row in rows]
    answers = database.transact(questions, deadline) if questions else []
    return [row["name"] for result in answers for row in result["rows"]]


def _bridges_of(resource: OvsResource) -> tuple[str, ...]:
    if isinstance(resource, OvsPort):
        return (resource.bridge,)
    return (resource.name,) if isinstance(resource, OvsBridge) else ()


def _home_of(port: str) -> Row:
    return select("Bridge", [["ports", "includes", ref(port)]], ["name"])


def _homes(database: Database, ports: Collection[str], deadline: Deadline) -> dict[str, str]:
    """UUID of a port → name of the bridge that has it."""
    questions = [_home_of(port) for port in ports]
    answers = database.transact(questions, deadline) if questions else []
    return {port: row["name"] for port, result in zip(ports, answers, strict=True) for row in result["rows"]}


def _bridge(row: dict[str, Any]) -> BridgeRow:
    return BridgeRow(
        row["_uuid"][1], row["name"], row["datapath_type"], from_map(row["external_ids"]), tuple(from_set(row["ports"]))
    )


def _port(row: dict[str, Any], interface: dict[str, Any], homes: Mapping[str, str]) -> PortRow:
    return PortRow(
        row=row["_uuid"][1],
        name=row["name"],
        external_ids=from_map(row["external_ids"]),
        bridge=homes.get(row["_uuid"][1], ""),
        type=interface.get("type", ""),
        options=from_map(interface["options"]) if interface else {},
        interface_ids=from_map(interface["external_ids"]) if interface else {},
        columns={name: from_optional(interface[name]) if interface else None for name in INTERFACE_COLUMNS},
        error=from_optional(interface["error"]) or "" if interface else "",
    )


def _kinds(switch: Sequence[dict[str, Any]], column: str) -> frozenset[str]:
    return frozenset(kind for row in switch for kind in from_set(row[column]))
