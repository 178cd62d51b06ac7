# SPDX-License-Identifier: Apache-2.0
"""The DHCP server of a network: dnsmasq on the network's bridge, with an address of its own there.

It is plugged as a guest is, so that the bridge is there before the first guest and stays until the network goes, and
`vif list`, `vif check` and `vif restore` know of it. It runs where the network was made; other hosts that share the
database write down who gets which address, and tell it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import os_vif
from os_vif import exception, plugging
from os_vif.host.operations import Operation, OperationFailed
from os_vif.networks.driver import Port
from os_vif.networks.local import dnsmasq, provisions
from os_vif.networks.local.dnsmasq import Dnsmasq
from os_vif.networks.local.model import LINUX_BRIDGE, Network
from os_vif.objects.instance_info import InstanceInfo
from os_vif.objects.vif import VIFBase, VIFBridge, VIFOpenVSwitch, VIFPortProfileOpenVSwitch

_CONTEXT = "vif_plug_linux_bridge.privsep"
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_AF_INET, _SCOPE_UNIVERSE = 2, 0


class DhcpServer:
    """That of one network. ``database``: the file that holds the network; the server's files are beside it."""

    def __init__(self, database: Path, network: Network, config: Any) -> None:
        self._network = network
        self._config = config
        directory = database.parent / "dhcp" / network.id
        self._place = directory / "place"
        self._dnsmasq = Dnsmasq(directory)

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self._dnsmasq.pid() is not None

    def check_possible(self) -> None:
        """Raises NetworkUnavailable where dnsmasq is not installed."""
        dnsmasq.program()

    def keep(self, ports: Sequence[Port]) -> None:
        """Sees to it that it runs, if this is the place for it, and that it knows the ports.

        Raises NetworkUnavailable, PlugException.
        """
        if not self.is_here:
            return self.tell(ports)
        self._wire()
        with self._explained():
            self._dnsmasq.write_configuration(self._network)
            self._place.write_text(json.dumps(asdict(plugging.engine().scope())))
            if self.runs:
                return self.tell(ports)
            self._dnsmasq.write_hosts(ports)
            return self._dnsmasq.start()

    def tell(self, ports: Sequence[Port]) -> None:
        """Writes down which ports there are, and tells it if it runs. Raises NetworkUnavailable."""
        with self._explained():
            if self._dnsmasq.write_hosts(ports):
                self._dnsmasq.reread()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = f"the DHCP server of network {self._network.name}: {error}."
            raise exception.NetworkUnavailable(driver="local", reason=reason) from error

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
        self._dnsmasq.remove_files()

    @property
    def is_here(self) -> bool:
        """Whether this is where it was started. After a reboot it is wherever it is needed first."""
        scope = plugging.engine().scope()
        try:
            known = json.loads(self._place.read_text())
        except (OSError, ValueError):
            return True
        return bool(known["boot"] != scope.boot or known["namespace"] == scope.namespace)

    def _wire(self) -> None:
        os_vif.initialize()
        os_vif.plug(self._vif(), self._instance())
        self._run("address.add")

    def _run(self, name: str) -> None:
        host = plugging.engine().host
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
        """In the form that os_vif.host.rtnetlink_ip takes."""
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
