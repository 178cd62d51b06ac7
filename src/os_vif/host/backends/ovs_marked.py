# SPDX-License-Identifier: Apache-2.0
"""What bears our mark in the databases of Open vSwitch, for garbage collection when no record tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from os_vif import exception
from os_vif.host.backends.ovs_view import HOME, MARK, SHARED
from os_vif.host.backends.usage import HELD_OPEN
from os_vif.host.contract.backend import Marked
from os_vif.host.journal import identity
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.host.ovsdb.database import Database, OutcomeUnknown, TransactionFailed
from os_vif.host.ovsdb.endpoint import Credentials, parse
from os_vif.host.ovsdb.rows import from_map, from_optional, from_set, select
from os_vif.host.process.deadline import Deadline
from os_vif.host.state import Resource
from os_vif.host.state.ovs import OvsBridge, OvsDatabase, OvsPort, OvsResource

#: Seconds that a database may take to answer: whoever collects garbage does not wait until it is back.
_LONGEST_SEARCH = 5

Connect = Callable[[str, Any], Database]
Device = Callable[[str], LinkInfo | None]


def databases(known: Iterable[Resource]) -> list[OvsDatabase]:
    """The databases that resources are in, each once; expected to be there if one of them says so."""
    found: dict[tuple[Any, ...], OvsDatabase] = {}
    for resource in known:
        if not isinstance(resource, OvsResource):
            continue
        place = (resource.database, *sorted(resource.credentials.items()))
        expected = getattr(resource, "expected", True)
        if place not in found or expected:
            found[place] = OvsDatabase(
                database=resource.database,
                seconds=resource.seconds,
                credentials=resource.credentials,
                expected=expected,
            )
    return list(found.values())


def find(connect: Connect, place: OvsDatabase, home: str, device: Device) -> list[Marked]:
    """The ports and bridges made for a VIF.

    ``home`` is our own journal, ``device`` looks up one of this network namespace by name. Raises HostError where
    the database cannot be read.
    """
    try:
        if not place.expected and not _is_there(place):
            return []
        questions = [
            select("Port", [], ["_uuid", "name", "external_ids"]),
            select("Bridge", [], ["name", "external_ids", "ports"]),
            select("Interface", [], ["name", "type", "link_state", "status"]),
        ]
        deadline = Deadline(min(place.seconds, _LONGEST_SEARCH))
        ports, bridges, interfaces = (
            answer["rows"] for answer in connect(place.database, place.credentials).transact(questions, deadline)
        )
    except (OSError, TransactionFailed, OutcomeUnknown, exception.HostError) as error:
        raise _not_searched(place, error) from error
    used = {row["name"]: _in_use(row, device) for row in interfaces}
    return [*_ports(place, ports, bridges, home, used), *_bridges(place, bridges, home)]


def _in_use(interface: dict[str, Any], device: Device) -> str:
    """Why a port is in use, as far as Open vSwitch tells; of a device of ours, that device tells itself."""
    status, kind = from_map(interface["status"]), interface["type"]
    if status.get("status") == "connected":
        return "a guest is connected to its socket"
    if kind == "patch" or kind.startswith("dpdk") or from_optional(interface["link_state"]) != "up":
        return ""
    found = device(interface["name"]) if kind in ("", "system", "tap") else None
    if found is None:
        return "Open vSwitch says that it is up"
    if found.kind == "tun":
        return HELD_OPEN if found.carrier else ""
    return "" if found.kind == "veth" else "Open vSwitch says that it is up"


def _is_there(place: OvsDatabase) -> bool:
    credentials = Credentials(**place.credentials)
    for endpoint in parse(place.database):
        try:
            endpoint.open(_LONGEST_SEARCH, credentials).close()
        except OSError:
            continue
        return True
    return False


def _ports(
    place: OvsDatabase,
    ports: Sequence[dict[str, Any]],
    bridges: Sequence[dict[str, Any]],
    home: str,
    used: Mapping[str, str],
) -> Iterator[Marked]:
    bridge_of = {port: bridge["name"] for bridge in bridges for port in from_set(bridge["ports"])}
    for row in ports:
        ids = from_map(row["external_ids"])
        if MARK in ids:
            port = OvsPort(name=row["name"], bridge=bridge_of.get(row["_uuid"][1], ""), **_of(place))
            yield _marked(ids, port, home, used.get(row["name"], ""))


def _marked(ids: Mapping[str, str], resource: OvsResource, home: str, in_use: str = "") -> Marked:
    named = ids.get(HOME, "")
    ours = bool(home and named) and identity.is_same_path(named, home)
    return Marked(ids[MARK], resource, identity.is_elsewhere(named, home), ours=ours, in_use=in_use)


def _bridges(place: OvsDatabase, bridges: Sequence[dict[str, Any]], home: str) -> Iterator[Marked]:
    """As shared ones: so they stay for as long as they have ports that do not go."""
    for row in bridges:
        ids = from_map(row["external_ids"])
        if ids.get(MARK, SHARED) != SHARED:
            yield _marked(ids, OvsBridge(name=row["name"], shared=True, **_of(place)), home)


def _of(place: OvsDatabase) -> dict[str, Any]:
    return {"database": place.database, "seconds": place.seconds, "credentials": place.credentials}


def _not_searched(place: OvsDatabase, error: Exception) -> exception.HostError:
    where = f"Open vSwitch at {place.database}"
    failure = exception.HostError(f"the database cannot be read: {error}", place=where)
    failure.hint = "Start it, or correct ovsdb_connection in [os_vif_ovs]; then collect garbage again."
    return failure
