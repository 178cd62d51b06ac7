# SPDX-License-Identifier: Apache-2.0
"""The rows of ports and their bindings."""

from __future__ import annotations

import ipaddress
import json
import re
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.foreign import shown
from os_vif.negotiation.request import Request
from os_vif.networks.driver import ACTIVE, INACTIVE, Binding, Port
from os_vif.networks.local import addresses, tables
from os_vif.networks.local.model import Network

LOG = logger(__name__)

#: Seconds since 1970; what is later is not a time that a lease would end at, and cannot be shown as a date.
_END_OF_TIME = 1e11

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")

_QUERY = "SELECT port.*, network.name AS network FROM port JOIN network ON network.id = port.network_id"


@dataclass(frozen=True)
class Bound:
    """A binding, with what it came of: ``request`` is that of networks/fingerprint.py, ``answer`` JSON."""

    binding: Binding
    request: str
    answer: str

    @property
    def is_valid(self) -> bool:
        """Whether whoever got the answer may still activate the binding."""
        try:
            return bool(json.loads(self.answer)["versioned_object.data"]["generation"] == self.binding.generation)
        except (ValueError, LookupError, TypeError):
            return False  # it cannot be given again, so the port is bound anew


def find(connection: sqlite3.Connection, port_id: str) -> Port:
    """The port. Raises NetworkNotFound."""
    row = connection.execute(f"{_QUERY} WHERE port.id = ?", (port_id,)).fetchone()
    if row is None:
        raise exception.NetworkNotFound(kind="port", name=port_id, port_id=port_id)
    return _port(connection, row)


def find_by_key(connection: sqlite3.Connection, key: str) -> Port | None:
    """The port that was made for a key of requests."""
    row = connection.execute(f"{_QUERY} WHERE port.key = ?", (key,)).fetchone()
    return None if row is None else _port(connection, row)


def every(connection: sqlite3.Connection, network: Network | None = None) -> list[Port]:
    """All ports that can be read, or those of a network; by network and MAC. A warning tells of the others."""
    wanted = (network.id,) if network else ()
    query = f"{_QUERY} {'WHERE port.network_id = ?' if network else ''} ORDER BY network.name, port.mac"
    found = []
    for row in connection.execute(query, wanted).fetchall():
        try:
            found.append(_port(connection, row))
        except exception.NetworkUnavailable as error:
            LOG.warning("%s", error)
    return found


def network_of(connection: sqlite3.Connection, port: Port) -> Network:
    """The network that a port is of."""
    return tables.find(connection, port.network)


def create(connection: sqlite3.Connection, network: Network, request: Request) -> Port:
    """A new port, with the addresses that are wanted. Raises NetworkConflict, NoAddressLeft."""
    port_id = str(uuid.uuid4())
    wanted = None if request.mac_address is None else str(request.mac_address).lower()
    mac = addresses.mac(connection, network, wanted)
    connection.execute(
        "INSERT INTO port (id, network_id, key, mac, generation) VALUES (?, ?, ?, ?, 0)",
        (port_id, network.id, request.key, mac),
    )
    addresses.give(connection, network, port_id, wanted_ips(request))
    return find(connection, port_id)


def wanted_ips(request: Request) -> list[str]:
    """As they are in the database."""
    return [str(ipaddress.ip_address(str(text))) for text in request.ip_addresses]


def delete(connection: sqlite3.Connection, port_id: str) -> None:
    """Removes a port, its bindings, and lets go of its addresses."""
    addresses.release(connection, port_id)
    connection.execute("DELETE FROM port WHERE id = ?", (port_id,))


def next_generation(connection: sqlite3.Connection, port_id: str) -> int:
    """A number that no binding of this port has had."""
    connection.execute("UPDATE port SET generation = generation + 1 WHERE id = ?", (port_id,))
    return int(connection.execute("SELECT generation FROM port WHERE id = ?", (port_id,)).fetchone()[0])


def bound(connection: sqlite3.Connection, port_id: str, host: str) -> Bound | None:
    """The binding of a port to a host."""
    query = "SELECT * FROM binding WHERE port_id = ? AND host = ?"
    row = connection.execute(query, (port_id, host)).fetchone()
    found = None if row is None else _binding(row)
    return None if found is None else Bound(found, row["request"], row["answer"])


def put_binding(connection: sqlite3.Connection, made: Bound) -> None:
    """Writes a binding, in place of one to the same host."""
    binding = made.binding
    connection.execute(
        "INSERT OR REPLACE INTO binding (port_id, host, status, generation, choice, request, answer, lapses_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            binding.port_id,
            binding.host,
            binding.status,
            binding.generation,
            binding.choice,
            made.request,
            made.answer,
            binding.lapses_at,
        ),
    )


def prolong(connection: sqlite3.Connection, port_id: str, host: str, lapses_at: float) -> None:
    """Puts off the end of a binding that waits for activation."""
    connection.execute(
        "UPDATE binding SET lapses_at = ? WHERE port_id = ? AND host = ? AND lapses_at IS NOT NULL",
        (lapses_at, port_id, host),
    )


def make_active(connection: sqlite3.Connection, port_id: str, host: str) -> None:
    """Makes one binding the active one, for good.

    Where it was not before, the others become inactive, and of a new generation: whoever goes by what was true before
    is told that things have changed.
    """
    here = (port_id, host)
    connection.execute("UPDATE binding SET lapses_at = NULL WHERE port_id = ? AND host = ?", here)
    changed = connection.execute(
        "UPDATE binding SET status = ? WHERE port_id = ? AND host = ? AND status != ?", (ACTIVE, *here, ACTIVE)
    )
    if changed.rowcount:
        connection.execute(
            "UPDATE binding SET status = ?, generation = ? WHERE port_id = ? AND host != ?",
            (INACTIVE, next_generation(connection, port_id), *here),
        )


def delete_binding(connection: sqlite3.Connection, port_id: str, host: str) -> bool:
    """Removes a binding; whether there was one."""
    query = "DELETE FROM binding WHERE port_id = ? AND host = ?"
    return connection.execute(query, (port_id, host)).rowcount > 0


def lapsed(connection: sqlite3.Connection, now: float) -> list[Binding]:
    """Bindings whose time ran out before ``now``, the longest first."""
    query = "SELECT * FROM binding WHERE lapses_at < ? ORDER BY lapses_at"
    return [found for row in connection.execute(query, (now,)) if (found := _binding(row))]


def _port(connection: sqlite3.Connection, row: sqlite3.Row) -> Port:
    if not (isinstance(row["id"], str) and isinstance(row["key"], str) and _is_mac(row["mac"])):
        reason = f"the record of port {shown(row['id'])} cannot be read: {shown(dict(row))}."
        raise exception.NetworkUnavailable(driver="local", reason=reason)
    return Port(
        port_id=row["id"],
        network=row["network"],
        mac_address=row["mac"],
        ip_addresses=tuple(_addresses(connection, row["id"])),
        bindings=tuple(_bindings(connection, row["id"])),
        key=row["key"],
    )


def _addresses(connection: sqlite3.Connection, port_id: str) -> Iterator[str]:
    for row in connection.execute("SELECT address FROM address WHERE port_id = ? ORDER BY position", (port_id,)):
        try:
            yield str(ipaddress.ip_address(row["address"]))
        except ValueError:
            LOG.warning("An address of port %s cannot be read: %s.", port_id, shown(row["address"]))


def _is_mac(value: object) -> bool:
    return isinstance(value, str) and _MAC.fullmatch(value) is not None


def _bindings(connection: sqlite3.Connection, port_id: str) -> Iterator[Binding]:
    for row in connection.execute("SELECT * FROM binding WHERE port_id = ? ORDER BY generation", (port_id,)):
        found = _binding(row)
        if found is not None:
            yield found


def _binding(row: sqlite3.Row) -> Binding | None:
    """None, and a warning, for one that cannot be read: the port can be bound anew, and deleted."""
    values = {name: row[name] for name in ("port_id", "host", "status", "generation", "choice", "lapses_at")}
    texts = all(isinstance(values[name], str) for name in ("port_id", "host", "choice"))
    generation, lapses_at = values["generation"], values["lapses_at"]
    is_time = lapses_at is None or (isinstance(lapses_at, float) and 0 <= lapses_at < _END_OF_TIME)
    if texts and isinstance(generation, int) and is_time and values["status"] in (ACTIVE, INACTIVE):
        return Binding(**values)
    LOG.warning(
        "The binding of port %s to host %s cannot be read, and counts as none: %s. `vif attach` binds the port anew.",
        values["port_id"],
        values["host"],
        shown(values),
    )
    return None
