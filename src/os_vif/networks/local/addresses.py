# SPDX-License-Identifier: Apache-2.0
"""Giving MAC and IP addresses to ports, inside a transaction: what is free here is free until it is written."""

from __future__ import annotations

import ipaddress
import secrets
import sqlite3
import time
from collections.abc import Sequence

from os_vif import exception
from os_vif.networks.local.model import Network, Subnet
from os_vif.networks.local.spec import usable
from os_vif.objects import validate

#: Locally administered, and what is known for virtual machines: QEMU, and libvirt, use it too.
MAC_PREFIX = "52:54:00"


#: Seconds until an address is given out again while others are free: as long as neighbours may remember who had it.
QUARANTINE = 600

#: Not part of the schema: files of earlier releases lack it, and can do without.
_RELEASED = """
CREATE TABLE IF NOT EXISTS released (
    network_id TEXT NOT NULL REFERENCES network (id) ON DELETE CASCADE, address TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (network_id, address)
) WITHOUT ROWID
"""


def mac(connection: sqlite3.Connection, network: Network, wanted: str | None) -> str:
    """The wanted MAC address, or a free one. Raises NetworkConflict, InvalidRequest."""
    if wanted is None:
        return _random_mac(connection)
    problem = validate.mac_address(wanted)
    if problem:
        raise exception.InvalidRequest(field="mac_address", reason=f"{problem[0]}.")
    query = "SELECT id FROM port WHERE network_id = ? AND mac = ?"
    taken = connection.execute(query, (network.id, wanted)).fetchone()
    if taken:
        reason = f"{wanted} is the MAC address of port {taken['id']} of network {network.name}."
        raise exception.NetworkConflict(reason=reason)
    return wanted


def _random_mac(connection: sqlite3.Connection) -> str:
    """No port has it, in any network."""
    while True:
        tail = secrets.token_bytes(3)
        found = f"{MAC_PREFIX}:{tail.hex(':')}"
        if connection.execute("SELECT 1 FROM port WHERE mac = ?", (found,)).fetchone() is None:
            return found


def give(connection: sqlite3.Connection, network: Network, port_id: str, wanted: Sequence[str]) -> None:
    """Gives a port the wanted IP addresses; where none are wanted, one of each family that the network has.

    Raises NetworkConflict, NoAddressLeft.
    """
    if wanted:
        for position, text in enumerate(wanted):
            _check_free(connection, network, text)
            _write(connection, network, text, port_id, position)
        return
    for position, version in enumerate((4, 6)):
        subnets = [subnet for subnet in network.subnets if ipaddress.ip_network(subnet.cidr).version == version]
        if subnets:
            _write(connection, network, _free(connection, network, subnets), port_id, position)


def release(connection: sqlite3.Connection, port_id: str) -> None:
    """Notes that the addresses of a port become free now."""
    connection.execute(_RELEASED)
    connection.execute("DELETE FROM released WHERE at < ?", (time.time() - QUARANTINE,))
    connection.execute(
        "INSERT OR REPLACE INTO released SELECT network_id, address, ? FROM address WHERE port_id = ?",
        (time.time(), port_id),
    )


def _check_free(connection: sqlite3.Connection, network: Network, text: str) -> None:
    address = ipaddress.ip_address(text)
    homes = [ipaddress.ip_network(subnet.cidr) for subnet in network.subnets]
    home = next((cidr for cidr in homes if address in cidr), None)
    if home is None:
        known = ", ".join(map(str, homes)) or "none"
        raise exception.NetworkConflict(
            reason=f"{text} is in no subnet of network {network.name}; there are: {known}.",
        )
    first, last = usable(home)
    if not int(first) <= int(address) <= int(last):
        raise exception.NetworkConflict(reason=f"{text} is an address of {home} that no port can have.")
    query = "SELECT port_id FROM address WHERE network_id = ? AND address = ?"
    taken = connection.execute(query, (network.id, text)).fetchone()
    if taken:
        owner = f"port {taken['port_id']}" if taken["port_id"] else "the gateway, the DHCP server or this host"
        raise exception.NetworkConflict(reason=f"{text} is the address of {owner} in network {network.name}.")


def _free(connection: sqlite3.Connection, network: Network, subnets: Sequence[Subnet]) -> str:
    for subnet in subnets:
        found = _next_free(connection, network, subnet)
        if found:
            connection.execute("UPDATE subnet SET latest = ? WHERE id = ?", (found, subnet.id))
            return found
    cidrs = " and ".join(subnet.cidr for subnet in subnets)
    raise exception.NoAddressLeft(cidr=cidrs, network=network.name)


def _next_free(connection: sqlite3.Connection, network: Network, subnet: Subnet) -> str | None:
    """Goes on after the one that was given last; those that were just freed come when there are no others."""
    first, last = ipaddress.ip_address(subnet.first), ipaddress.ip_address(subnet.last)
    size = int(last) - int(first) + 1
    start = int(ipaddress.ip_address(subnet.latest)) - int(first) + 1 if subnet.latest else 0
    query = "SELECT 1 FROM address WHERE network_id = ? AND address = ?"
    resting = _resting(connection, network)
    free_but_resting = []
    for offset in range(size):
        text = str(first + (start + offset) % size)
        if connection.execute(query, (network.id, text)).fetchone() is None:
            if text not in resting:
                return text
            free_but_resting.append(text)
    return min(free_but_resting, key=resting.__getitem__, default=None)


def _resting(connection: sqlite3.Connection, network: Network) -> dict[str, float]:
    """The addresses in quarantine, with the time when each became free."""
    connection.execute(_RELEASED)
    query = "SELECT address, at FROM released WHERE network_id = ? AND at > ?"
    rows = connection.execute(query, (network.id, time.time() - QUARANTINE))
    return {row["address"]: row["at"] for row in rows}


def _write(connection: sqlite3.Connection, network: Network, text: str, port_id: str, position: int) -> None:
    connection.execute(
        "INSERT INTO address (network_id, address, port_id, position) VALUES (?, ?, ?, ?)",
        (network.id, text, port_id, position),
    )
