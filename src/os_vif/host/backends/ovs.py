# SPDX-License-Identifier: Apache-2.0
"""The backend of Open vSwitch: bridges and ports, one transaction per plan, and its own word on the outcome."""

from __future__ import annotations

import errno
import functools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from os_vif import exception
from os_vif.host.access.host import HostAccess
from os_vif.host.backends import ovs_changes, ovs_marked, ovs_outcome, ovs_view
from os_vif.host.backends.ovs_view import HOME, MARK, OvsView, PortRow
from os_vif.host.contract.backend import Marked, Purpose
from os_vif.host.contract.degradation import Degradation, Guest
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.contract.plan import Holding, Outcome, Step
from os_vif.host.diagnosis import switch
from os_vif.host.journal import identity
from os_vif.host.ovsdb.database import Database, OutcomeUnknown, TransactionFailed
from os_vif.host.ovsdb.endpoint import Credentials
from os_vif.host.ovsdb.rows import Row
from os_vif.host.process.deadline import Deadline
from os_vif.host.state import IfForeign, Resource
from os_vif.host.state.ovs import IDENTITY, OvsBridge, OvsDatabase, OvsPort, OvsResource

#: Interfaces whose device ovs-vswitchd makes itself. For all others it has to be there already.
_MADE_BY_SWITCH = ("internal", "patch", "dpdk", "dpdkvhostuser", "dpdkvhostuserclient")

#: Seconds that the switch may take to let go of the device of a bridge or port that is no more.
_LONGEST_END = 2


class OvsBackend:
    """Rows of the databases of Open vSwitch. The resources say where these are."""

    name = "ovs"
    #: run() does all operations or none.
    atomic = True

    def __init__(self, host: HostAccess, home: str = "") -> None:
        """``home`` is the journal that tells of what is made here (identity.py)."""
        self._host = host
        self._home = home
        self._databases: dict[tuple[str, Credentials], Database] = {}

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> dict[str, OvsView]:
        """A view per database. Raises StepFailed, DeadlineExceeded."""
        by_database: dict[str, list[OvsResource]] = {}
        for resource in resources:
            assert isinstance(resource, OvsResource)
            by_database.setdefault(resource.database, []).append(resource)
        return {text: self._read_one(text, wanted, purpose) for text, wanted in by_database.items()}

    def _read_one(self, text: str, resources: Sequence[OvsResource], purpose: Purpose) -> OvsView:
        try:
            first = resources[0]
            database = self._database(text, first.credentials)
            return ovs_view.read(database, resources, database.deadline(first.seconds))
        except (TransactionFailed, OutcomeUnknown, OSError) as error:
            what = f"read the database of Open vSwitch at {text}"
            raise exception.StepFailed(
                step=what, device=resources[0].name, vif_id=purpose.vif_id, reason=str(error)
            ) from error

    def _database(self, text: str, paths: Mapping[str, str]) -> Database:
        credentials = Credentials(**paths)
        key = (text, credentials)
        # Two threads may both make one; setdefault lets them use the same.
        return self._databases.get(key) or self._databases.setdefault(key, Database(text, credentials))

    def close(self) -> None:
        """Ends all connections; the next use makes new ones."""
        for database in self._databases.values():
            database.close()

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        """The steps that make a bridge or a port as stated. Raises ForeignDevice, InvalidRequest."""
        if isinstance(resource, OvsBridge):
            return self._converge_bridge(resource, actual[resource.database], purpose)
        assert isinstance(resource, OvsPort)
        return self._converge_port(resource, actual[resource.database], purpose)

    def _converge_bridge(self, bridge: OvsBridge, view: OvsView, purpose: Purpose) -> Outcome:
        found = view.bridges.get(bridge.name)
        if found is not None:
            made = MARK in found.external_ids or bridge.if_foreign is IfForeign.ADOPT
            return Outcome(Holding(bridge, made=made))
        _check_known("datapath_type", bridge.datapath_type, view.datapath_types, bridge, purpose)
        return Outcome(Holding(bridge, made=True), (ovs_changes.add_bridge(bridge, self._marks(purpose)),))

    def _converge_port(self, port: OvsPort, view: OvsView, purpose: Purpose) -> Outcome:
        found = view.ports.get(port.name)
        holding = Holding(port, made=True)
        if found is None:
            _check_known("type", port.type, view.interface_types, port, purpose)
            return Outcome(holding, (ovs_changes.add_port(port, self._marks(purpose), view.qos.get(port.name, "")),))
        _check_ours(port, found, purpose)
        return Outcome(holding, tuple(self._changes(port, found, self._marks(purpose))))

    def _changes(self, port: OvsPort, found: PortRow, marks: Mapping[str, str]) -> Iterator[Step]:
        if found.type != port.type:
            yield ovs_changes.set_type(port, found.type, ends=self._has_taken(port, found))
        yield from _changes(port, found, marks)

    def _has_taken(self, port: OvsPort, found: PortRow) -> bool:
        """Whether the switch has a tap open as its own, and deletes it when it lets go, sooner (3.1) or later (3.5)."""
        link = self._host.get_link(port.name) if found.type in _MADE_BY_SWITCH else None
        return link is not None and link.kind == "tun" and port.type not in _MADE_BY_SWITCH

    def _marks(self, purpose: Purpose) -> dict[str, str]:
        return {MARK: purpose.vif_id} | ({HOME: self._home} if self._home else {})

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        """Takes away a port that is ours by its mark or by its interface id, or a bridge that we made."""
        resource = holding.resource
        view: OvsView = actual[getattr(resource, "database", "")]
        if isinstance(resource, OvsBridge):
            bridge = view.bridges.get(resource.name)
            removable = holding.made and not resource.permanent
            return (ovs_changes.delete_bridge(resource, bridge),) if bridge and removable else ()
        assert isinstance(resource, OvsPort)
        port = view.ports.get(resource.name)
        return (ovs_changes.delete_port(resource, port),) if port and _is_ours(resource, port, purpose) else ()

    def in_use(self, holding: Holding, actual: Any, leaving: Sequence[Holding]) -> str:
        """A bridge stays as long as it has ports that do not leave with it."""
        bridge = holding.resource
        if not isinstance(bridge, OvsBridge) or bridge.permanent:
            return ""
        found = actual[bridge.database].bridges.get(bridge.name)
        ours = {other.resource.name for other in leaving if isinstance(other.resource, OvsPort)} | {bridge.name}
        names = self._port_names(bridge, found.ports) if found else []
        others = sorted(set(names) - ours)
        return f"{bridge.label} still has port {', '.join(others)}" if others else ""

    def _port_names(self, bridge: OvsBridge, rows: Sequence[str]) -> list[str]:
        database = self._database(bridge.database, bridge.credentials)
        return ovs_view.ports_by_row(database, rows, database.deadline(bridge.seconds))

    def marked(self) -> Sequence[Marked]:
        """None but for those that searches() finds: which databases there are is only known from resources."""
        return ()

    def searches(self, known: Iterable[Resource]) -> list[Callable[[], Sequence[Marked]]]:
        """What marked() does, for each of the databases that the resources are in. Each may raise HostError."""
        places = ovs_marked.databases(known)
        return [functools.partial(self._find, place) for place in places]

    def _find(self, place: OvsDatabase) -> Sequence[Marked]:
        return ovs_marked.find(self._database, place, self._home, self._host.get_link)

    def is_there(self, holding: Holding, actual: Any, purpose: Purpose) -> bool:
        """Whether there is such a bridge or port."""
        resource = holding.resource
        assert isinstance(resource, OvsResource)
        view: OvsView = actual[resource.database]
        return resource.name in (view.bridges if isinstance(resource, OvsBridge) else view.ports)

    def degradations(self, resources: Sequence[Resource], guest: Guest) -> Iterator[Degradation]:
        """What of the switch, or in it, cuts off the guest of a VIF. Raises StepFailed, DeadlineExceeded."""
        by_database: dict[Database, list[OvsResource]] = {}
        for resource in resources:
            assert isinstance(resource, OvsResource)
            by_database.setdefault(self._database(resource.database, resource.credentials), []).append(resource)
        for database, wanted in by_database.items():
            ports = [resource for resource in wanted if isinstance(resource, OvsPort)]
            try:
                yield from switch.look(database, ports, guest, self._host, self._is_there)
            except (TransactionFailed, OutcomeUnknown, OSError) as error:
                raise exception.StepFailed(
                    step="read the database of Open vSwitch", device=wanted[0].name, vif_id="", reason=str(error)
                ) from error

    def _is_there(self, port: OvsPort) -> bool:
        """Whether the switch makes the port's device itself, or finds it."""
        return port.type in _MADE_BY_SWITCH or self._host.has_link(port.name)

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """All operations in one transaction; then waits for Open vSwitch to act on them. Raises OperationFailed."""
        first = operations[0].arguments
        database = self._database(first["database"], first["credentials"])
        deadline = database.deadline(first["seconds"])
        awaited = self._awaited(operations)
        released = any(operation.arguments["await_release"] for operation in operations)
        answers = _commit(database, operations, ovs_outcome.COUNT if awaited or released else (), deadline)
        complaints = ovs_outcome.complaints(database, answers, list(awaited), deadline) if awaited else []
        for number, complaint in zip(awaited.values(), complaints, strict=True):
            if complaint:
                raise OperationFailed(len(operations), 0, complaint, number)
        if released:  # nothing can speak against it: who is down lets go when he is up
            ovs_outcome.complaints(database, answers, [], Deadline(_LONGEST_END))
        self._await_ends(operations)

    def _awaited(self, operations: Sequence[Operation]) -> dict[str, int]:
        """The interfaces to wait for, each with the number of the operation that makes it."""
        return {
            name: number
            for number, operation in enumerate(operations)
            for name in operation.arguments["await"]
            if self._has_device(name, operation.arguments["rows"])
        }

    def _await_ends(self, operations: Sequence[Operation]) -> None:
        """Waits for the devices of bridges to go, which is up to the switch. One that is down does it when it is up."""
        end = Deadline(_LONGEST_END)
        for name in (name for operation in operations for name in operation.arguments["await_end"]):
            while self._host.has_link(name) and end.remaining():
                time.sleep(0.002)

    def _has_device(self, name: str, rows: Sequence[Row]) -> bool:
        inserted = (row["row"] for row in rows if row["op"] == "insert" and row["table"] == "Interface")
        kinds = [values.get("type", "") for values in inserted if values["name"] == name]
        return any(kind in _MADE_BY_SWITCH for kind in kinds) or self._host.has_link(name)


def _commit(
    database: Database, operations: Sequence[Operation], more: Sequence[Row], deadline: Deadline
) -> Sequence[Any]:
    rows = [*(row for operation in operations for row in operation.arguments["rows"]), *more]
    try:
        return database.transact(rows, deadline)
    except TransactionFailed as failure:
        if failure.kind == "timed out" and all(operation.arguments["optional"] for operation in operations):
            return ()
        culprit = _owner(operations, failure.index)
        raise OperationFailed(0, _errno(failure, rows), _words(failure, rows), culprit) from failure
    except (OSError, exception.DeadlineExceeded) as error:
        raise OperationFailed(0, getattr(error, "errno", 0) or 0, str(error), 0) from error
    except OutcomeUnknown as error:
        # As if all were done: undoing what was not done is harmless.
        raise OperationFailed(len(operations), 0, str(error), 0) from error


def _check_known(field: str, value: str | None, known: frozenset[str], resource: OvsResource, purpose: Purpose) -> None:
    if value and known and value not in known and value != "internal":
        offered = ", ".join(sorted(known))
        raise exception.InvalidRequest(
            field=field,
            reason=f"this Open vSwitch has no {field} {value}, which {resource.label} needs; it has {offered}.",
            vif_id=purpose.vif_id,
            device=resource.name,
        )


def _check_ours(port: OvsPort, found: PortRow, purpose: Purpose) -> None:
    if not _is_ours(port, found, purpose):
        owner = found.external_ids.get(MARK) or found.interface_ids.get("iface-id")
        reason = f"it belongs to {owner}." if owner else "it is a port of Open vSwitch that os-vif did not make."
        raise exception.ForeignDevice(device=port.name, vif_id=purpose.vif_id, reason=reason)


def _is_ours(port: OvsPort, found: PortRow, purpose: Purpose) -> bool:
    """By our mark, or by the interface id, which VIFs plugged by an earlier os-vif have too."""
    if found.external_ids.get(MARK) == purpose.vif_id:
        return True
    iface_id = port.external_ids.get("iface-id")
    adopted = port.if_foreign is IfForeign.ADOPT and found.bridge == port.bridge
    return adopted or bool(iface_id and found.interface_ids.get("iface-id") == iface_id)


def _changes(port: OvsPort, found: PortRow, marks: Mapping[str, str]) -> Iterator[Step]:
    if found.bridge != port.bridge:
        yield ovs_changes.move_port(port, found)
    new_marks = _differing(found.external_ids, marks)
    if identity.is_same_path(found.external_ids.get(HOME, ""), marks.get(HOME, "")):
        new_marks.pop(HOME, None)
    if new_marks:
        yield ovs_changes.set_map(port, "Port", "external_ids", found.external_ids, new_marks)
    for column, old, wanted in (
        ("options", found.options, port.options),
        ("external_ids", found.interface_ids, port.external_ids),
    ):
        new = _differing(old, wanted)
        if new:
            yield ovs_changes.set_map(port, "Interface", column, old, new)
    withdrawn = {key: found.interface_ids[key] for key in IDENTITY if key in found.interface_ids}
    if withdrawn and not port.external_ids:
        yield ovs_changes.remove_identity(port, withdrawn)
    for column, value in ovs_changes.stated_columns(port).items():
        if value != found.columns[column]:
            yield ovs_changes.set_column(port, column, found.columns[column], value)


def _differing(old: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in wanted.items() if old.get(key) != value}


def _owner(operations: Sequence[Operation], index: int) -> int:
    """Which operation the row operation number ``index`` of the whole transaction comes from."""
    for number, operation in enumerate(operations):
        index -= len(operation.arguments["rows"])
        if index < 0:
            return number
    return len(operations) - 1


def _errno(failure: TransactionFailed, rows: Sequence[Row]) -> int:
    """EEXIST where a row has come meanwhile that was to be made: then it is worth looking again."""
    guarded = failure.kind == "timed out" and rows[failure.index]["op"] == "wait"
    taken = guarded and not rows[failure.index]["rows"] and rows[failure.index]["table"] != "Interface"
    return errno.EEXIST if taken else errno.EINVAL


def _words(failure: TransactionFailed, rows: Sequence[Row]) -> str:
    """The server's words; for a guard that did not let the transaction through, what it guards against."""
    if failure.kind != "timed out":
        return str(failure)
    guard = rows[failure.index]
    if guard["table"] == "Bridge" and guard["rows"]:
        return f"there is no Open vSwitch bridge {guard['rows'][0]['name']}"
    if guard["table"] == "Interface":
        ids = ", ".join(f"{key} {value}" for key, value in guard["where"][0][2][1])
        return f"another interface has the {ids} already"
    return f"somebody else has just made a {guard['table'].lower()} of that name"
