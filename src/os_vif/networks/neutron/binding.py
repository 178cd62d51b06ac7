# SPDX-License-Identifier: Apache-2.0
"""What Neutron says of a binding, of its port and its network, and these as objects. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from os_vif.objects.fixed_ip import FixedIP, FixedIPList
from os_vif.objects.network import Network
from os_vif.objects.route import Route, RouteList
from os_vif.objects.subnet import Subnet, SubnetList
from os_vif.plugins import names

_INTEGRATION_BRIDGE = "br-int"


@dataclass(frozen=True)
class Wired:
    """``port``, ``network``, ``subnets``: as Neutron shows them; the other four are those of one of its bindings."""

    port: Mapping[str, Any]
    vif_type: str
    vnic_type: str = "normal"
    details: Mapping[str, Any] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)
    network: Mapping[str, Any] = field(default_factory=dict)
    subnets: Sequence[Mapping[str, Any]] = ()
    preserve_on_delete: bool = False
    active: bool = True

    @property
    def id(self) -> str:
        """The port's."""
        return str(self.port["id"])

    @property
    def pci_slot(self) -> str | None:
        """The address of the virtual function that the port is to have."""
        return self.profile.get("pci_slot")

    @property
    def bridge(self) -> str | None:
        """The bridge on the host, if there is to be one. Nova cuts it, so everybody has to."""
        found = self._bridge()
        return None if found is None else found[: names.DEVICE_NAME_LENGTH]

    def _bridge(self) -> str | None:
        told = self.details.get("bridge_name")
        if self.vif_type in ("ovs", "agilio_ovs") or self._is("vhostuser_ovs_plug"):
            return told or _INTEGRATION_BRIDGE
        if self.vif_type == "bridge" or self._is("vhostuser_fp_plug"):
            return told or names.network_bridge(self.port["network_id"])
        return None

    def _is(self, detail: str) -> bool:
        return self.vif_type == "vhostuser" and bool(self.details.get(detail))


def network_of(wired: Wired, **more: Any) -> Network:
    """The network, with the subnets of which the port has addresses. ``more``: fields that only some need."""
    told = {"bridge_interface": None, **more, "label": wired.network.get("name"), "mtu": wired.network.get("mtu")}
    bridge = {} if wired.bridge is None else {"bridge": wired.bridge}
    known = {name: value for name, value in told.items() if value is not None or name == "bridge_interface"}
    return Network(id=wired.port["network_id"], subnets=subnets_of(wired), **bridge, **known)


def subnets_of(wired: Wired) -> SubnetList:
    """In the order of the port's addresses."""
    by_id = {subnet["id"]: subnet for subnet in wired.subnets}
    wanted = dict.fromkeys(ip["subnet_id"] for ip in wired.port.get("fixed_ips", ()))
    return SubnetList(objects=[_subnet(by_id[one], wired) for one in wanted if one in by_id])


def _subnet(subnet: Mapping[str, Any], wired: Wired) -> Subnet:
    ips = [ip["ip_address"] for ip in wired.port["fixed_ips"] if ip["subnet_id"] == subnet["id"]]
    made = Subnet(
        cidr=subnet["cidr"],
        dns=list(subnet.get("dns_nameservers") or ()),
        ips=FixedIPList(objects=[FixedIP(address=ip, floating_ips=[]) for ip in ips]),
        routes=RouteList(
            objects=[
                Route(cidr=route["destination"], gateway=route["nexthop"]) for route in subnet.get("host_routes") or ()
            ]
        ),
    )
    if subnet.get("gateway_ip"):
        made.gateway = subnet["gateway_ip"]
    return made
