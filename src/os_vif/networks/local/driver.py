# SPDX-License-Identifier: Apache-2.0
"""The driver: ports that come with their first binding and go with their last, in one transaction each."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.negotiation.answer import Answer, answer, refused
from os_vif.negotiation.choice import Decision, choose
from os_vif.negotiation.request import Purpose, Request
from os_vif.networks.driver import ACTIVE, INACTIVE, Binding, NetworkDriver, Port, Service
from os_vif.networks.fingerprint import fingerprint
from os_vif.networks.local import ports, provisions, tables
from os_vif.networks.local.database import Database
from os_vif.networks.local.model import Network
from os_vif.networks.local.options import OPTIONS
from os_vif.plugging import current

if TYPE_CHECKING:
    from os_vif.networks.local.dhcp import DhcpServer
    from os_vif.networks.local.services import Services

LOG = logger(__name__)


class LocalDriver(NetworkDriver):
    """Networks of one machine; see os_vif.networks.local.admin for how they are made."""

    CONFIG_OPTS = OPTIONS

    def __init__(self, name: str, config: Any) -> None:
        super().__init__(name, config)
        self._database: Database | None = None

    @property
    def database(self) -> Database:
        """Where everything is. Raises NetworkUnavailable where there is no place for it."""
        if self._database is None:
            self._database = Database(_place(self.config))
        return self._database

    def decide(self, request: Request) -> Decision:
        """See NetworkDriver."""
        with self.database.reading() as connection:
            network, _ = _sought(connection, request)
            return self._choose(network, request)

    def bind(self, request: Request) -> Answer:
        """See NetworkDriver."""
        with self.database.writing() as connection:
            network, port = _sought(connection, request)
            if port is not None:
                _check_the_same(port, request)
                known = ports.bound(connection, port.port_id, request.offer.host)
                if known and known.is_valid and known.request == fingerprint(request):
                    self._keep_dhcp(connection, network)
                    return _once_more(connection, known, request)
            decision = self._choose(network, request)
            if decision.choice is None:
                raise refused(decision, request.offer)
            return self._bind(connection, network, port, request, decision)

    def _bind(
        self,
        connection: sqlite3.Connection,
        network: Network,
        port: Port | None,
        request: Request,
        decision: Decision,
    ) -> Answer:
        assert decision.choice is not None
        port = port or ports.create(connection, network, request)
        status = _status(connection, port, request)
        vif = provisions.vif_for(decision.choice, network, port, self.config, request.queues)
        generation = ports.next_generation(connection, port.port_id)
        made = answer(decision, vif, request.offer, generation=generation)
        binding = Binding(port.port_id, request.offer.host, status, generation, made.choice, _end(request))
        written = json.dumps(made.obj_to_primitive(), separators=(",", ":"))
        ports.put_binding(connection, ports.Bound(binding, fingerprint(request), written))
        self._keep_dhcp(connection, network)
        return made

    def unbind(self, port_id: str, host: str) -> None:
        """See NetworkDriver."""
        with self.database.writing() as connection:
            if not ports.delete_binding(connection, port_id, host):
                return
            port = ports.find(connection, port_id)
            if not port.bindings:
                ports.delete(connection, port_id)
                self._tell_dhcp(connection, port)

    def activate(self, port_id: str, host: str, generation: int) -> None:
        """See NetworkDriver."""
        with self.database.writing() as connection:
            port = ports.find(connection, port_id)
            found = ports.bound(connection, port_id, host)
            if found is None:
                raise exception.NetworkNotFound(kind="binding to this host of port", name=port_id, port_id=port_id)
            if found.binding.generation != generation:
                raise exception.BindingChanged(
                    port_id=port_id, host=host, found=found.binding.generation, expected=generation
                )
            ports.make_active(connection, port_id, host)
            self._keep_dhcp(connection, ports.network_of(connection, port))

    def find(self, key: str) -> str | None:
        """See NetworkDriver."""
        with self.database.reading() as connection:
            port = ports.find_by_key(connection, key)
            return port.port_id if port else None

    def show(self, port_id: str) -> Port:
        """See NetworkDriver."""
        with self.database.reading() as connection:
            return ports.find(connection, port_id)

    def lapsed(self, now: float) -> Sequence[Binding]:
        """See NetworkDriver."""
        with self.database.reading() as connection:
            return ports.lapsed(connection, now)

    def check_services(self) -> Sequence[Service]:
        """See NetworkDriver."""
        services = self._services()
        return list(services.check()) if services else ()

    def repair_services(self) -> Sequence[Service]:
        """See NetworkDriver."""
        services = self._services()
        return list(services.repair()) if services else ()

    def collect_services(self, *, dry_run: bool) -> Sequence[Service]:
        """See NetworkDriver. That the database is lost is no proof that nobody needs the networks that were in it."""
        services = self._services()
        return list(services.collect(dry_run=dry_run)) if services else ()

    def _services(self) -> Services | None:
        """None where there is no network, and where looking for one would make a database."""
        from os_vif.networks.local.services import Services

        if not self.config.database and not current.engine().journal.identity:
            return None
        return Services(self.database, self.config) if self.database.path.exists() else None

    def _choose(self, network: Network, request: Request) -> Decision:
        return choose(request.offer, provisions.provisions(network, self.config, request), request)

    def _keep_dhcp(self, connection: sqlite3.Connection, network: Network) -> None:
        """Whoever gets a port has to get its address. Raises NetworkUnavailable, PlugException."""
        if network.dhcp:
            self._dhcp_server(network).keep(ports.every(connection, network))

    def _tell_dhcp(self, connection: sqlite3.Connection, left: Port) -> None:
        """Whoever leaves is not kept by a DHCP server that is out of order, nor by a network that cannot be read."""
        try:
            network = ports.network_of(connection, left)
            if network.dhcp:
                self._dhcp_server(network).tell(ports.every(connection, network))
        except exception.NetworkUnavailable as error:
            LOG.warning("%s", error)

    def _dhcp_server(self, network: Network) -> DhcpServer:
        from os_vif.networks.local.dhcp import DhcpServer

        return DhcpServer(self.database.path, network, self.config)


def _place(config: Any) -> Path:
    if config.database:
        return Path(config.database)
    journal = current.engine().journal.identity
    if not journal:
        error = exception.NetworkUnavailable(driver="local", reason="there is no state directory to keep networks in.")
        error.hint = "Set OS_VIF_STATE_DIR to a directory that can be written, or [os_vif_network_local] database."
        raise error
    return Path(journal).with_name("networks.db")


def _sought(connection: sqlite3.Connection, request: Request) -> tuple[Network, Port | None]:
    """The network of a request, and the port if there is one. Raises NetworkNotFound, NetworkConflict."""
    port = ports.find(connection, request.port_id) if request.port_id else ports.find_by_key(connection, request.key)
    if port is None:
        return tables.find(connection, request.network), None
    network = ports.network_of(connection, port)
    if request.network and request.network not in (network.name, network.id):
        asked = tables.find(connection, request.network)
        reason = f"Port {port.port_id} is of network {network.name}; {asked.name} is asked for."
        raise exception.NetworkConflict(reason=reason, port_id=port.port_id)
    return network, port


def _check_the_same(port: Port, request: Request) -> None:
    """The addresses of a port stay as they are. Raises NetworkConflict."""
    wanted = ports.wanted_ips(request)
    mac = request.mac_address and str(request.mac_address).lower()
    if (mac and mac != port.mac_address) or (wanted and set(wanted) != set(port.ip_addresses)):
        has = ", ".join((port.mac_address, *port.ip_addresses))
        reason = f"Port {port.port_id} has the addresses {has}; others are asked for."
        raise exception.NetworkConflict(reason=reason, port_id=port.port_id)


def _status(connection: sqlite3.Connection, port: Port, request: Request) -> str:
    """What a new binding is to be. For ATTACH it has to be alone: others that have lapsed are taken back."""
    elsewhere = [binding for binding in port.bindings if binding.host != request.offer.host]
    if request.purpose == Purpose.ATTACH:
        for binding in elsewhere:
            _take_back(connection, binding)
        return ACTIVE
    here = [binding.status for binding in port.bindings if binding not in elsewhere]
    return here[0] if here else INACTIVE if elsewhere else ACTIVE


def _take_back(connection: sqlite3.Connection, binding: Binding) -> None:
    if binding.lapses_at is None or binding.lapses_at >= time.time():
        error = exception.NetworkConflict(
            reason=f"Port {binding.port_id} is bound to {binding.host}.", port_id=binding.port_id
        )
        error.hint = "Unbind it there first, or ask for a second binding, to migrate."
        raise error
    ports.delete_binding(connection, binding.port_id, binding.host)


def _once_more(connection: sqlite3.Connection, known: ports.Bound, request: Request) -> Answer:
    ports.prolong(connection, known.binding.port_id, known.binding.host, _end(request))
    found: Answer = Answer.obj_from_primitive(json.loads(known.answer))
    return found


def _end(request: Request) -> float:
    return time.time() + float(request.offer.lease)
