# SPDX-License-Identifier: Apache-2.0
"""Changes to Open vSwitch as steps: each a part of a transaction, and the part that undoes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from os_vif.host.backends.ovs_view import MARK, SHARED, BridgeRow, PortRow, qos_id, qos_of
from os_vif.host.contract.operations import Operation
from os_vif.host.contract.plan import Step
from os_vif.host.ovsdb.rows import (
    Row,
    delete,
    if_alone,
    if_there,
    insert,
    mutate,
    ref,
    refs,
    row_id,
    set_keys,
    to_map,
    unless_there,
    update,
)
from os_vif.host.state.ovs import INTERFACE_COLUMNS, OvsBridge, OvsPort, OvsResource


def add_bridge(bridge: OvsBridge, marks: Mapping[str, str]) -> Step:
    """Makes a bridge with the port of its own that every bridge has."""
    told = {MARK: SHARED} if bridge.shared else marks
    row, port, interface = (row_id(table, bridge.name) for table in ("Bridge", "Port", "Interface"))
    values = {
        "name": bridge.name,
        "ports": refs([port]),
        "external_ids": to_map({**bridge.external_ids, **told}),
    }
    if bridge.datapath_type is not None:
        values["datapath_type"] = bridge.datapath_type
    rows = [
        unless_there("Bridge", [["name", "==", bridge.name]], "name"),
        insert("Interface", interface, {"name": bridge.name, "type": "internal"}),
        insert("Port", port, {"name": bridge.name, "interfaces": refs([interface])}),
        insert("Bridge", row, values),
        mutate("Open_vSwitch", [], "bridges", "insert", refs([row])),
    ]
    text = f"create {bridge.label}" + (f" on datapath {bridge.datapath_type}" if bridge.datapath_type else "")
    # Others may have put ports into it meanwhile, and it is theirs then as much as ours.
    undo = _operation(bridge, [if_alone("Bridge", row, "ports", refs([port])), *_remove_bridge(row)], optional=True)
    return Step("ovs", bridge.name, text, _operation(bridge, rows, awaited=[bridge.name]), undo)


def delete_bridge(bridge: OvsBridge, found: BridgeRow) -> Step:
    """Removes a bridge with all its ports."""
    operation = _operation(bridge, _remove_bridge(found.row), ended=[bridge.name])
    return Step("ovs", bridge.name, f"delete {bridge.label}", operation)


def _remove_bridge(row: str) -> list[Row]:
    return [mutate("Open_vSwitch", [], "bridges", "delete", refs([row]))]


def add_port(port: OvsPort, marks: Mapping[str, str], left_over_qos: str = "") -> Step:
    """Makes a port, its interface, and its QoS where it has one, unless the interface id is taken.

    Two interfaces with one iface-id make OVN lose all traffic of the port while it reports it as up.
    """
    row, interface = row_id("Port", port.name), row_id("Interface", port.name)
    rows = [if_there("Bridge", "name", port.bridge), unless_there("Port", [["name", "==", port.name]], "name")]
    iface_id = port.external_ids.get("iface-id")
    if iface_id:
        taken = [["external_ids", "includes", to_map({"iface-id": iface_id})]]
        rows.append(unless_there("Interface", taken, "name"))
    values = {"name": port.name, "interfaces": refs([interface]), "external_ids": to_map(marks)}
    values |= {column: _column(value) for column, value in port.at_creation.items()}
    if port.qos_type:
        qos, making = _qos(port, left_over_qos)
        rows += making
        values["qos"] = ref(qos)
    rows += [
        insert("Interface", interface, _interface_values(port)),
        insert("Port", row, values),
        mutate("Bridge", [["name", "==", port.bridge]], "ports", "insert", refs([row])),
    ]
    text = f"add {port.label} to Open vSwitch bridge {port.bridge}"
    undo = _operation(port, _remove_port(port, row), released=port.device_stays)
    return Step("ovs", port.name, text, _operation(port, rows, awaited=[port.name]), undo)


def delete_port(port: OvsPort, found: PortRow) -> Step:
    """Takes a port away, and its QoS."""
    operation = _operation(port, _remove_port(port, found.row), released=port.device_stays)
    return Step("ovs", port.name, f"delete {port.label} of Open vSwitch bridge {found.bridge}", operation)


def _remove_port(port: OvsPort, row: str) -> list[Row]:
    return [
        # References are counted before rows that nobody refers to any more are removed.
        update("Port", [["_uuid", "==", ref(row)]], {"qos": _column(None)}),
        delete("QoS", qos_of(port.name)),
        mutate("Bridge", [["ports", "includes", ref(row)]], "ports", "delete", refs([row])),
    ]


def move_port(port: OvsPort, found: PortRow) -> Step:
    """Takes a port from one bridge to another, at once."""
    return _step(
        port,
        f"move {port.label} from Open vSwitch bridge {found.bridge} to {port.bridge}",
        [if_there("Bridge", "name", port.bridge), *_moved(found.row, found.bridge, port.bridge)],
        _moved(found.row, port.bridge, found.bridge),
    )


def _moved(row: str, source: str, target: str) -> list[Row]:
    return [
        mutate("Bridge", [["name", "==", source]], "ports", "delete", refs([row])),
        mutate("Bridge", [["name", "==", target]], "ports", "insert", refs([row])),
    ]


def set_map(port: OvsPort, table: str, column: str, old: Mapping[str, str], new: Mapping[str, str]) -> Step:
    """Gives keys of a map new values."""
    where = [["name", "==", port.name]]
    added = [key for key in new if key not in old]
    undo = [set_keys(table, where, column, {key: old[key] for key in new if key in old})]
    undo += [mutate(table, where, column, "delete", ["set", added])] if added else []
    shown = ", ".join(f"{key}={value}" for key, value in sorted(new.items()))
    return _step(port, f"set {shown} in {column} of {port.label}", [set_keys(table, where, column, new)], undo)


def remove_identity(port: OvsPort, old: Mapping[str, str]) -> Step:
    """The interface does not stand for a port of the network any more: another one does."""
    where = [["name", "==", port.name]]
    rows = [mutate("Interface", where, "external_ids", "delete", ["set", sorted(old)])]
    undo = [set_keys("Interface", where, "external_ids", old)]
    return _step(port, f"remove {', '.join(sorted(old))} from external_ids of {port.label}", rows, undo)


def set_column(port: OvsPort, column: str, old: Any, new: Any) -> Step:
    """Sets a column of the interface."""
    rows, undo = (_column_rows(port, column, value) for value in (new, old))
    return _step(port, f"set {column} of {port.label} to {new} (was {'none' if old is None else old})", rows, undo)


def set_type(port: OvsPort, old: str, *, ends: bool) -> Step:
    """Sets the type of the interface; where that ``ends`` its device, waits until the switch has deleted it."""
    text = f"set type of {port.label} to {port.type or 'none'} (was {old or 'none'})"
    rows = _column_rows(port, "type", port.type)
    operation = _operation(port, rows, ended=[port.name] if ends else [], released=True)
    undo = _operation(port, _column_rows(port, "type", old))
    return Step("ovs", port.name, text, operation, undo, unsettles=True)


def _column_rows(port: OvsPort, column: str, value: Any) -> list[Row]:
    return [update("Interface", [["name", "==", port.name]], {column: _column(value)})]


def _qos(port: OvsPort, left_over: str) -> tuple[str, list[Row]]:
    """The UUID of the QoS row of a port, and what makes it; one left over from an earlier port is used again."""
    values = {"type": port.qos_type, "external_ids": to_map({"id": qos_id(port.name), "_type": port.qos_type})}
    if left_over:
        return left_over, [update("QoS", [["_uuid", "==", ref(left_over)]], values)]
    row = row_id("QoS", port.name)
    return row, [insert("QoS", row, values)]


def _interface_values(port: OvsPort) -> dict[str, Any]:
    values: dict[str, Any] = {"name": port.name, "external_ids": to_map(port.external_ids)}
    if port.type:
        values["type"] = port.type
    if port.options:
        values["options"] = to_map(port.options)
    return values | stated_columns(port)


def stated_columns(port: OvsPort) -> dict[str, Any]:
    """Those of INTERFACE_COLUMNS that the port states."""
    stated = {name: getattr(port, name) for name in INTERFACE_COLUMNS}
    return {name: value for name, value in stated.items() if value is not None}


def _column(value: Any) -> Any:
    if value is None:
        return ["set", []]
    return ["set", list(value)] if isinstance(value, list | tuple) else value


def _step(resource: OvsResource, text: str, rows: Sequence[Row], undo: Sequence[Row]) -> Step:
    return Step("ovs", resource.name, text, _operation(resource, rows), _operation(resource, undo))


def _operation(
    resource: OvsResource,
    rows: Sequence[Row],
    awaited: Sequence[str] = (),
    ended: Sequence[str] = (),
    *,
    released: bool = False,
    optional: bool = False,
) -> Operation:
    """``optional``: a guard that does not let it through means that it is not to be done."""
    arguments = {
        "database": resource.database,
        "credentials": dict(resource.credentials),
        "seconds": resource.seconds,
        "rows": list(rows),
        "await": list(awaited),
        "await_end": list(ended),
        "await_release": released,
        "optional": optional,
    }
    return Operation("ovsdb.transact", arguments)
