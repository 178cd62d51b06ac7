# SPDX-License-Identifier: Apache-2.0
"""The DHCP server of a network: dnsmasq on the network's bridge, with an address of its own there.

It is plugged as a guest is, so that the bridge is there before the first guest and stays until the network goes, and
`vif list`, `vif check` and `vif restore` know of it. It runs where the network was made; other hosts that share the
database write down who gets which address, and tell it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from ipaddress import IPv4Interface, ip_address
from pathlib import Path
from typing import Any

import os_vif
from os_vif import exception
from os_vif.host.contract.operations import Operation, OperationFailed
from os_vif.host.kernel import neighbours
from os_vif.networks.driver import Port
from os_vif.networks.local import confinement, dnsmasq, gateways, provisions
from os_vif.networks.local.dnsmasq import Dnsmasq
from os_vif.networks.local.model import LINUX_BRIDGE, Network, Subnet
from os_vif.networks.local.server_files import ServerFiles
from os_vif.objects.instance_info import InstanceInfo
from os_vif.objects.vif import VIFBase, VIFBridge, VIFOpenVSwitch, VIFPortProfileOpenVSwitch
from os_vif.plugging import current
from os_vif.plugins import names

_CONTEXT = "vif_plug_linux_bridge.privsep"
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_AF_INET, _SCOPE_UNIVERSE = 2, 0


@dataclass(frozen=True)
class Place:
    """Where a server was started, for which database, and for what network."""

    boot: str
    namespace: str
    database: str
    network: Network

    @classmethod
    def read(cls, path: Path) -> Place | None:
        """What written() wrote; None where it is something else."""
        try:
            values = json.loads(path.read_text())
            network = values.pop("network")
            subnets = tuple(Subnet(**subnet) for subnet in network.pop("subnets"))
            return cls(**values, network=Network(**network, subnets=subnets))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def written(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


def orphan(database: Path, network_id: str, config: Any) -> DhcpServer | None:
    """A server that was started here, for a network that the database does not know any more."""
    directory = ServerFiles(network_id, database.parent).find()
    place = None if directory is None else Place.read(directory / dnsmasq.PLACE)
    if place is None or place.network.id != network_id:
        return None
    server = DhcpServer(database, place.network, config)
    return server if place == server.place_here() else None


class DhcpServer:
    """That of one network. ``database``: the file that holds the network."""

    def __init__(self, database: Path, network: Network, config: Any) -> None:
        self.network = self._network = network
        self._config = config
        self._database = database
        self._files = ServerFiles(network.id, database.parent)
        self._dnsmasq = Dnsmasq(network, self._files, config.dhcp_user or "")

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self._dnsmasq.runs

    def check_possible(self) -> None:
        """Raises NetworkUnavailable where dnsmasq is not installed, or could not be who it is to be."""
        confinement.command([dnsmasq.program()], confinement.user(self._config.dhcp_user or ""))

    def keep(self, ports: Sequence[Port], *, may_ask: bool = False) -> None:
        """Sees to it that it runs, if this is the place for it, and that it knows the ports.

        ``may_ask``: whether there is half a second to ask who has the gateway. Raises NetworkUnavailable,
        NetworkConflict, PlugException.
        """
        if not self.is_here:
            return self.tell(ports)
        self._wire()
        with self._explained():
            return self._dnsmasq.keep(ports, self.gateways(ports, may_ask=may_ask), self.place_here().written())

    def tell(self, ports: Sequence[Port]) -> None:
        """Writes down which ports there are, and tells it if it runs. Raises NetworkUnavailable."""
        with self._explained():
            self._dnsmasq.tell(ports)

    def differences(self, ports: Sequence[Port]) -> Iterator[str]:
        """What is not as keep() would have it, in words. Changes nothing. Raises NetworkUnavailable."""
        with self._explained():
            yield from self._differences(ports)

    def _differences(self, ports: Sequence[Port]) -> Iterator[str]:
        bridge = current.engine().host.get_link(self._network.bridge)
        if bridge is None:
            yield f"its bridge {self._network.bridge} is not there"
        else:
            known = {one["shown"] for one in current.engine().host.addresses_of(bridge.index)}
            for address in self._addresses():
                if address["shown"] not in known:
                    yield f"its address {address['shown']} is not on {self._network.bridge}"
        if not self._dnsmasq.runs:
            yield "dnsmasq does not run"
        elif not self._dnsmasq.runs_here:
            yield "dnsmasq runs in another network namespace"
        elif self._dnsmasq.is_stopped:
            yield "dnsmasq is stopped, by a signal"
        elif not self._dnsmasq.is_told(ports, self.gateways(ports, may_ask=True)):
            yield "dnsmasq does not know all that it is to tell"

    def gateways(self, ports: Sequence[Port], *, may_ask: bool) -> list[str]:
        """Those that guests are told of."""
        host = current.engine().host
        return list(gateways.announced(self._network, ports, host, self._dnsmasq.configuration, may_ask=may_ask))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, exception.UntrustedFile) as error:
            reason = f"the DHCP server of network {self._network.name}: {str(error).rstrip('.')}."
            raised = exception.NetworkUnavailable(driver="local", reason=reason)
            raised.hint = getattr(error, "hint", "")
            raise raised from error

    def remove(self) -> None:
        """Ends it, and removes all that was made for it. Raises NetworkConflict, UnplugException."""
        if not self.is_here:
            reason = f"The DHCP server of network {self._network.name} runs in another network namespace."
            error = exception.NetworkConflict(reason=reason)
            error.hint = "Delete the network there."
            raise error
        self._dnsmasq.stop()
        self._run("address.delete")
        os_vif.initialize()
        os_vif.unplug(self._vif(), self._instance())
        self._files.remove()

    @property
    def is_here(self) -> bool:
        """Whether this is where it was started. After a reboot it is wherever it is needed first."""
        directory = self._files.find()
        known = None if directory is None else Place.read(directory / dnsmasq.PLACE)
        here = self.place_here()
        return known is None or known.boot != here.boot or known.namespace == here.namespace

    def place_here(self) -> Place:
        """What is written down by who starts it here."""
        scope = current.engine().scope()
        network = dataclasses.replace(
            self._network, subnets=tuple(dataclasses.replace(subnet, latest=None) for subnet in self._network.subnets)
        )
        return Place(scope.boot, scope.namespace, str(self._database.absolute()), network)

    def serves_guests(self) -> bool:
        """Whether somebody is on its bridge, or might be: who is on one of Open vSwitch the kernel does not tell."""
        host = current.engine().host
        bridge = host.get_link(self._network.bridge)
        if bridge is None:
            return False
        if self._network.switch != LINUX_BRIDGE:
            return True
        outward = {self._network.uplink, names.vlan(self._network.vlan) if self._network.vlan is not None else None}
        return any(port.name not in outward for port in host.ports_of(bridge.index))

    def _wire(self) -> None:
        os_vif.initialize()
        os_vif.plug(self._vif(), self._instance())
        self._check_addresses_free()
        self._run("address.add")

    def _check_addresses_free(self) -> None:
        """Before it takes an address where there are others. Raises NetworkConflict."""
        host = current.engine().host
        bridge = host.get_link(self._network.bridge)
        if bridge is None or not host.ports_of(bridge.index):
            return
        had = {address["shown"] for address in host.addresses_of(bridge.index)}
        for address in self._addresses():
            shown = address["shown"].partition("/")[0]
            if address["shown"] not in had and neighbours.answers(bridge.name, ip_address(shown)):
                reason = (
                    f"Somebody on {bridge.name} has {shown}, the address of the DHCP server of {self._network.name}."
                )
                error = exception.NetworkConflict(reason=reason)
                error.hint = "Make the network with a --pool of addresses that are free."
                raise error

    def _run(self, name: str) -> None:
        host = current.engine().host
        if host.get_link(self._network.bridge) is None:
            return
        changes = [Operation(name, {"name": self._network.bridge, "address": one}) for one in self._addresses()]
        up = [Operation("link.set", {"name": self._network.bridge, "up": True})]
        try:
            host.run([*changes, *(up if name == "address.add" else [])], _CONTEXT)
        except OperationFailed as error:
            reason = f"the address of the DHCP server cannot be set on {self._network.bridge}: {error.words}."
            raise exception.NetworkUnavailable(driver="local", reason=reason) from error

    def _addresses(self) -> Iterator[dict[str, Any]]:
        """In the form that os_vif.host.kernel.addresses takes."""
        for subnet in self._network.subnets:
            if subnet.dhcp_server:
                length = subnet.cidr.partition("/")[2]
                packed = IPv4Interface(f"{subnet.dhcp_server}/{length}").packed.hex()
                yield {
                    "shown": f"{subnet.dhcp_server}/{length}",
                    "header": [_AF_INET, int(length), 0, _SCOPE_UNIVERSE],
                    "attributes": [[_IFA_LOCAL, packed], [_IFA_ADDRESS, packed]],
                }

    def _vif(self) -> VIFBase:
        port_id, bridge = self._network.dhcp_port_id, self._network.bridge
        common = {"id": port_id, "network": provisions.network_of(self._network), "bridge_name": bridge}
        if self._network.switch == LINUX_BRIDGE:
            return VIFBridge(**common, plugin="linux_bridge", vif_name=bridge)
        # No port: the bridge's own device is where it listens.
        profile = VIFPortProfileOpenVSwitch(interface_id=port_id, datapath_type=self._config.ovs_datapath_type)
        return VIFOpenVSwitch(**common, plugin="ovs", vif_name=bridge, port_profile=profile)

    def _instance(self) -> InstanceInfo:
        return InstanceInfo(uuid=self._network.dhcp_port_id, name=f"dhcp-{self._network.name}")
