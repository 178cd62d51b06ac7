# SPDX-License-Identifier: Apache-2.0
"""The rows of networks and subnets."""

from __future__ import annotations

import ipaddress
import sqlite3
from collections.abc import Sequence
from typing import NoReturn

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.networks.local import model
from os_vif.networks.local.model import Network, Subnet

LOG = logger(__name__)


def every(connection: sqlite3.Connection) -> list[Network]:
    """All networks that can be read, by name; a warning tells of the others."""
    found = []
    for row in connection.execute("SELECT * FROM network ORDER BY name").fetchall():
        try:
            found.append(_network(connection, row))
        except exception.NetworkUnavailable as error:
            LOG.warning("%s %s", error, error.hint)
    return found


def ids(connection: sqlite3.Connection) -> set[str]:
    """The ids of all networks, also of those that cannot be read."""
    return {str(row["id"]) for row in connection.execute("SELECT id FROM network").fetchall()}


def find(connection: sqlite3.Connection, name_or_id: str) -> Network:
    """A network by its name, or by its id. Raises NetworkNotFound, and NetworkUnavailable if it cannot be read."""
    query = "SELECT * FROM network WHERE name = ? OR id = ? ORDER BY name = ? DESC"
    row = connection.execute(query, (name_or_id, name_or_id.lower(), name_or_id)).fetchone()
    if row is None:
        raise _not_found(connection, name_or_id)
    return _network(connection, row)


def _not_found(connection: sqlite3.Connection, name: str) -> exception.NetworkNotFound:
    error = exception.NetworkNotFound(kind="network", name=name or '""')
    known = ", ".join(network.name for network in every(connection))
    error.hint = f"There are: {known}." if known else f"There is none in {_file(connection)}: `vif network create`."
    return error


def _file(connection: sqlite3.Connection) -> str:
    """Which one it is: root's is not that of others."""
    return str(connection.execute("PRAGMA database_list").fetchone()["file"])


def insert(
    connection: sqlite3.Connection, network: Network, reserved: Sequence[str] = (), *, may_overlap: bool = False
) -> None:
    """Adds a network; no port is given the addresses ``reserved``.

    Raises NetworkConflict where a name or a device is taken, or a subnet, unless that may be.
    """
    for other in every(connection):
        _check_apart(network, other, may_overlap=may_overlap)
    connection.execute(
        "INSERT INTO network (id, name, switch, bridge, mtu, uplink, vlan, dhcp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            network.id,
            network.name,
            network.switch,
            network.bridge,
            network.mtu,
            network.uplink,
            network.vlan,
            network.dhcp,
        ),
    )
    for subnet in network.subnets:
        _insert_subnet(connection, network.id, subnet)
    _reserve(connection, network.id, reserved)


def _insert_subnet(connection: sqlite3.Connection, network_id: str, subnet: Subnet) -> None:
    connection.execute(
        "INSERT INTO subnet (network_id, cidr, gateway, first, last, dhcp_server) VALUES (?, ?, ?, ?, ?, ?)",
        (network_id, subnet.cidr, subnet.gateway, subnet.first, subnet.last, subnet.dhcp_server),
    )
    _reserve(connection, network_id, [taken for taken in (subnet.gateway, subnet.dhcp_server) if taken])


def _reserve(connection: sqlite3.Connection, network_id: str, addresses: Sequence[str]) -> None:
    """Addresses without a port, so that no port is given them."""
    connection.executemany(
        "INSERT OR IGNORE INTO address (network_id, address, position) VALUES (?, ?, 0)",
        [(network_id, taken) for taken in addresses],
    )


def delete(connection: sqlite3.Connection, network: Network) -> None:
    """Removes a network. Raises NetworkConflict while it has ports."""
    ports = connection.execute("SELECT count(*) FROM port WHERE network_id = ?", (network.id,)).fetchone()[0]
    if ports:
        hint = f"`vif network ports {network.name}` shows them."
        _refuse(f"Network {network.name} has {ports} {'port' if ports == 1 else 'ports'}.", hint)
    connection.execute("DELETE FROM network WHERE id = ?", (network.id,))


def _check_apart(wanted: Network, other: Network, *, may_overlap: bool) -> None:
    if wanted.name == other.name:
        _refuse(f"There is a network {other.name} already.", f"`vif network show {other.name}` shows it.")
    if wanted.bridge == other.bridge:
        _refuse(f"The bridge {other.bridge} is that of network {other.name}; the two would be one.")
    if wanted.uplink and (wanted.uplink, wanted.vlan) == (other.uplink, other.vlan):
        vlan = f" with VLAN {other.vlan}" if other.vlan else ""
        _refuse(f"The uplink {other.uplink}{vlan} is that of network {other.name}.")
    _check_addresses_apart(wanted, other, may_overlap=may_overlap)


def _check_addresses_apart(wanted: Network, other: Network, *, may_overlap: bool) -> None:
    """Where both have DHCP this host has an address in both, and would not know which is meant."""
    both_served = wanted.dhcp and other.dhcp
    if may_overlap and not both_served:
        return
    for ours in wanted.subnets:
        for theirs in other.subnets:
            if _overlap(ours.cidr, theirs.cidr):
                reason = f"{ours.cidr} overlaps {theirs.cidr} of network {other.name}"
                if both_served:
                    _refuse(f"{reason}, and both are to have DHCP.", "Choose another subnet.")
                _refuse(f"{reason}.", "Choose another subnet; --force makes the network all the same.")


def _overlap(one: str, other: str) -> bool:
    ours, theirs = ipaddress.ip_network(one), ipaddress.ip_network(other)
    return ours.version == theirs.version and ours.overlaps(theirs)


def _network(connection: sqlite3.Connection, row: sqlite3.Row) -> Network:
    values = dict(row) | {"dhcp": bool(row["dhcp"])}
    rows = connection.execute("SELECT * FROM subnet WHERE network_id = ? ORDER BY id", (row["id"],))
    network = Network(**values, subnets=tuple(_subnet(one) for one in rows))
    try:
        model.check(network)
    except (ValueError, TypeError) as error:
        reason = f"the record of network {network.name} in {_file(connection)} cannot be read: {error}."
        failure = exception.NetworkUnavailable(driver="local", reason=reason)
        failure.hint = "Other networks can be used. `vif journal backup` and docs/operating.md tell of backups."
        raise failure from error
    return network


def _subnet(row: sqlite3.Row) -> Subnet:
    return Subnet(**{name: row[name] for name in row.keys() if name != "network_id"})  # noqa: SIM118 - iterates values


def _refuse(reason: str, hint: str = "") -> NoReturn:
    error = exception.NetworkConflict(reason=reason)
    error.hint = hint
    raise error
