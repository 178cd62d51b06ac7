# SPDX-License-Identifier: Apache-2.0
"""Making, listing and removing networks: what an operator does, and what no hypervisor needs to know."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.networks.driver import Port
from os_vif.networks.local import overlaps, ports, tables
from os_vif.networks.local.database import Database
from os_vif.networks.local.model import OVS, Network
from os_vif.networks.local.spec import WantedNetwork, checked
from os_vif.plugging import current
from os_vif.plugins import names

if TYPE_CHECKING:
    from os_vif.networks.local.dhcp import DhcpServer


class Manager:
    """Networks in a database; ``config`` holds the driver's options."""

    def __init__(self, database: Database, config: Any) -> None:
        self._database = database
        self._config = config

    def create(self, wanted: WantedNetwork) -> Network:
        """Makes a network, and starts its DHCP server if it is to have one; when that fails, nothing is left.

        Its bridge is made when the first port is plugged. Raises InvalidRequest, NetworkConflict, NetworkUnavailable,
        UplinkUnsuitable.
        """
        from os_vif.host.kernel import surroundings

        try:
            held = surroundings.all_held()
        except OSError as error:
            reason = f"this host's addresses and routes cannot be read: {error}."
            raise exception.NetworkUnavailable(driver="local", reason=reason) from error
        in_use = overlaps.in_use(held)
        network = checked(wanted, in_use)
        if network.dhcp or not wanted.force:
            overlaps.check(network, held)
        _check_uplink(network)
        if network.dhcp:
            self._dhcp_server(network).check_possible()
        with self._database.writing() as connection:
            reserved = list(overlaps.within(in_use, network))
            tables.insert(connection, network, reserved, may_overlap=wanted.force)
            made = tables.find(connection, network.id)
        # Written before: whatever becomes of this process, there is a network to delete, and its server with it.
        if made.dhcp:
            self._start_dhcp(made)
        return made

    def _start_dhcp(self, network: Network) -> None:
        try:
            with self._database.writing() as connection:
                self._dhcp_server(network).keep(ports.every(connection, network), may_ask=True)
        except BaseException:
            with contextlib.suppress(exception.ExceptionBase):  # what was first is what is told
                self.delete(network.id)
            raise

    @property
    def file(self) -> str:
        """Where they are kept."""
        return str(self._database.path)

    def networks(self) -> list[Network]:
        """All of them, by name."""
        with self._database.reading() as connection:
            return tables.every(connection)

    def show(self, name_or_id: str) -> tuple[Network, list[Port]]:
        """A network and its ports. Raises NetworkNotFound."""
        with self._database.reading() as connection:
            network = tables.find(connection, name_or_id)
            return network, ports.every(connection, network)

    def ports(self, name_or_id: str = "") -> list[Port]:
        """The ports of a network, or all. Raises NetworkNotFound."""
        with self._database.reading() as connection:
            return ports.every(connection, self._sought(connection, name_or_id))

    def delete(self, name_or_id: str) -> Network:
        """Removes a network, its DHCP server, and its bridge of Open vSwitch.

        Raises NetworkNotFound, and NetworkConflict while it has ports.
        """
        with self._database.writing() as connection:
            network = tables.find(connection, name_or_id)
            tables.delete(connection, network)
            if network.dhcp:
                self._dhcp_server(network).remove()
        if network.switch == OVS:
            from os_vif.networks.local import switch_bridge

            switch_bridge.remove(network)
        return network

    def dhcp_runs(self, network: Network) -> bool:
        """Whether the DHCP server of a network runs; False for a network that has none."""
        return network.dhcp and self._dhcp_server(network).runs

    def gateways_of_nobody(self, network: Network) -> list[str]:
        """Those that guests are not told of by DHCP, because nobody has them."""
        if not network.dhcp:
            return []
        with self._database.reading() as connection:
            known = ports.every(connection, network)
        announced = self._dhcp_server(network).gateways(known, may_ask=False)
        stated = [subnet.gateway for subnet in network.subnets if subnet.gateway and subnet.dhcp_server]
        return [gateway for gateway in stated if gateway not in announced]

    def _dhcp_server(self, network: Network) -> DhcpServer:
        from os_vif.networks.local.dhcp import DhcpServer

        return DhcpServer(self._database.path, network, self._config)

    def _sought(self, connection: sqlite3.Connection, name_or_id: str) -> Network | None:
        return tables.find(connection, name_or_id) if name_or_id else None


def _check_uplink(network: Network) -> None:
    """Better now than when the first guest comes. The addresses of a VLAN's device are those that would move."""
    from os_vif.host.backends import uplinks

    if network.uplink is not None:
        device = network.uplink if network.vlan is None else names.vlan(network.vlan)
        uplinks.check_now(current.engine().host, device, network.bridge)
