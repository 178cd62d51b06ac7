# SPDX-License-Identifier: Apache-2.0
"""The DHCP servers that belong on this host: whether they are as they should be, and put right when they are not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from os_vif import exception
from os_vif.networks.driver import Port, Service
from os_vif.networks.local import dhcp, ports, server_files, tables
from os_vif.networks.local.database import Database
from os_vif.networks.local.model import Network


class Services:
    """Those for the networks in a database; ``config`` holds the driver's options."""

    def __init__(self, database: Database, config: Any) -> None:
        self._database = database
        self._config = config

    def check(self) -> Iterator[Service]:
        """All of this host. Changes nothing."""
        for network, known in self._served():
            try:
                yield self._of(network, tuple(self._server(network).differences(known)))
            except exception.ExceptionBase as error:
                yield dataclasses.replace(self._of(network, ()), error=error)

    def repair(self) -> Iterator[Service]:
        """Those that needed it, put right."""
        for found in self.check():
            yield dataclasses.replace(found, error=self._repaired(found.network)) if found.differences else found

    def _repaired(self, name: str) -> exception.ExceptionBase | None:
        """With the database to itself, so that no port comes or goes unheard."""
        try:
            with self._database.writing() as connection:
                network = tables.find(connection, name)
                self._server(network).keep(ports.every(connection, network), may_ask=True)
        except exception.NetworkNotFound:
            return None  # somebody has deleted it meanwhile
        except exception.ExceptionBase as error:
            return error
        return None

    def collect(self, *, dry_run: bool) -> Iterator[Service]:
        """Ends those of networks that are not in the database any more, unless a guest is on their bridge."""
        # Before the database is: a network that is made meanwhile is in there before it has a server.
        known = server_files.known(self._database.path.parent)
        with self._database.reading() as connection:
            there = tables.ids(connection)
        for network_id in sorted(set(known) - there):
            orphan = dhcp.orphan(self._database.path, network_id, self._config)
            if orphan is not None and not orphan.serves_guests():
                error = None if dry_run else _removed(orphan)
                yield dataclasses.replace(self._of(orphan.network, ("its network is gone",)), error=error)

    def _served(self) -> Sequence[tuple[Network, list[Port]]]:
        with self._database.reading() as connection:
            networks = [network for network in tables.every(connection) if network.dhcp]
            return [(one, ports.every(connection, one)) for one in networks if self._server(one).is_here]

    def _server(self, network: Network) -> dhcp.DhcpServer:
        return dhcp.DhcpServer(self._database.path, network, self._config)

    def _of(self, network: Network, differences: tuple[str, ...]) -> Service:
        return Service(f"DHCP server of network {network.name}", network.name, network.dhcp_port_id, differences)


def _removed(orphan: dhcp.DhcpServer) -> exception.ExceptionBase | None:
    try:
        orphan.remove()
    except exception.ExceptionBase as error:
        return error
    return None
