# SPDX-License-Identifier: Apache-2.0
"""Looking up what a request speaks of: its port, the network of that, and what else Neutron knows of them."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Sequence
from typing import Any

from os_vif import exception
from os_vif.negotiation.request import Request
from os_vif.networks.neutron import ports
from os_vif.networks.neutron.api import Json, Neutron
from os_vif.networks.neutron.binding import Wired
from os_vif.networks.neutron.ports import Bound, Found

_NORMAL = "normal"


class Looking:
    """Nothing is changed."""

    def __init__(self, neutron: Neutron) -> None:
        self._neutron = neutron

    def sought(self, request: Request) -> Found | None:
        """The port that is meant, by its id or by the key; None if it is to be made. Raises NetworkNotFound."""
        if request.port_id:
            return ports.read_port(self._neutron, str(request.port_id))
        return ports.find(self._neutron, request.key, str(request.instance.uuid))

    def network(self, found: Found) -> Json:
        """The port's network."""
        return self._neutron.get(f"/networks/{found.port['network_id']}")

    def network_for(self, found: Found | None, request: Request) -> Json:
        """The network of the request. Raises NetworkNotFound; NetworkConflict when the port is of another."""
        if found is None:
            return self._network_named(request.network)
        network = self.network(found)
        if request.network and request.network not in (network["id"], network["name"]):
            asked = self._network_named(request.network)
            reason = f"Port {found.id} is of network {network['name']}; {asked['name']} is asked for."
            raise exception.NetworkConflict(reason=reason, port_id=found.id)
        return network

    def _network_named(self, name: str) -> Json:
        known = self._neutron.get_all("/networks", id=name) if _is_uuid(name) else []
        known = known or (self._neutron.get_all("/networks", name=name) if name else [])
        if not known:
            raise exception.NetworkNotFound(kind="network", name=name)
        if len(known) > 1:
            error = exception.NetworkConflict(reason=f"Neutron has {len(known)} networks called {name}.")
            error.hint = f"Name it by its id: {', '.join(one['id'] for one in known)}."
            raise error
        return dict(known[0])

    def check_the_same(self, found: Found, request: Request) -> None:
        """A port keeps its addresses and its kind, and is one guest's. Raises NetworkConflict."""
        port = found.port
        reason = _used_by(port, str(request.instance.uuid))
        wanted = {str(ipaddress.ip_address(str(address))) for address in request.ip_addresses}
        has = {str(ipaddress.ip_address(ip["ip_address"])) for ip in port["fixed_ips"]}
        mac = str(request.mac_address or port["mac_address"]).lower()
        if mac != port["mac_address"].lower() or (wanted and wanted != has):
            told = ", ".join([port["mac_address"], *sorted(has)])
            reason = f"Port {found.id} has the addresses {told}; others are asked for."
        vnic_type = port.get("binding:vnic_type", request.vnic_type)
        if request.vnic_type not in (_NORMAL, vnic_type):
            reason = f"Port {found.id} is for a {vnic_type} vNIC; {request.vnic_type} is asked for."
        if reason:
            raise exception.NetworkConflict(reason=reason, port_id=found.id)

    def wired(self, found: Found, bound: Bound, network: Json, subnets: Sequence[Json] | None = None) -> Wired:
        """All there is to know of a binding; ``subnets``: if they are known, or do not matter."""
        return Wired(
            port=found.port,
            vif_type=bound.vif_type,
            vnic_type=bound.vnic_type,
            details=bound.details,
            profile=bound.profile,
            network=network,
            subnets=self._subnets(found) if subnets is None else subnets,
            preserve_on_delete=not found.ours,
        )

    def _subnets(self, found: Found) -> Sequence[Json]:
        ids = sorted({ip["subnet_id"] for ip in found.port["fixed_ips"]})
        return self._neutron.get_all("/subnets", id=ids) if ids else []

    def agents(self, host: str) -> Sequence[Json]:
        """Those of a host; none where the server does not know of agents."""
        try:
            return self._neutron.get_all("/agents", host=host)
        except exception.NetworkNotFound:
            return []


def _used_by(port: Any, instance: str) -> str:
    if port["device_id"] in ("", instance) and not port["device_owner"].startswith("network:"):
        return ""
    return f"Port {port['id']} is used by {port['device_owner'] or 'something'} {port['device_id']}."


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
