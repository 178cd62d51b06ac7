# SPDX-License-Identifier: Apache-2.0
"""What Neutron's answers have to look like where we look at them (Networking API v2.0, its reference).

Whoever reads them then takes them apart without asking again. Keys that are not here may hold anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from os_vif.foreign import shown

#: A key → the type of its value, which may also be null or absent; with "!" it must be there. A list of one element
#: stands for a list of such; a mapping for an object of that shape.
Shape = Mapping[str, Any]

_DETAILS: Shape = {
    "bridge_name": str,
    "datapath_type": str,
    "mac_address": str,
    "macvtap_mode": str,
    "macvtap_source": str,
    "physical_interface": str,
    "profileid": str,
    "vhostuser_mode": str,
    "vhostuser_socket": str,
    "vlan": (int, str),
}
_PROFILE: Shape = {"capabilities": [str], "pci_slot": str}

_PORT: Shape = {
    "id!": str,
    "network_id!": str,
    "name!": str,
    "mac_address!": str,
    "device_id!": str,
    "device_owner!": str,
    "fixed_ips!": [{"subnet_id!": str, "ip_address!": str}],
    "revision_number": int,
    "created_at": str,
    "binding:host_id": str,
    "binding:vif_type": str,
    "binding:vnic_type": str,
    "binding:vif_details": _DETAILS,
    "binding:profile": _PROFILE,
}
_BINDING: Shape = {
    "host!": str,
    "status": str,
    "vif_type": str,
    "vnic_type": str,
    "vif_details": _DETAILS,
    "profile": _PROFILE,
}
_SEGMENT: Shape = {"provider:physical_network": str, "provider:network_type": str}
_NETWORK: Shape = {"id!": str, "name!": str, "mtu": int, "segments": [_SEGMENT], **_SEGMENT}
_SUBNET: Shape = {
    "id!": str,
    "cidr!": str,
    "gateway_ip": str,
    "dns_nameservers": [str],
    "host_routes": [{"destination!": str, "nexthop!": str}],
}
_CONFIGURATIONS: Shape = {
    "bridge_mappings": dict,
    "datapath_type": str,
    "datapath-type": str,
    "device_mappings": dict,
    "interface_mappings": dict,
    "ovs_capabilities": {"iface_types": [str]},
    "tunnel_types": [str],
}
_AGENT: Shape = {"agent_type!": str, "alive": bool, "configurations": _CONFIGURATIONS}

_ONE = {"port": _PORT, "binding": _BINDING, "network": _NETWORK, "subnet": _SUBNET, "agent": _AGENT}
_MANY = {f"{name}s": shape for name, shape in _ONE.items()}

_KINDS = {str: "a string", int: "a number", bool: "true or false", dict: "an object", list: "a list"}


def problem(body: Any) -> str:
    """What is wrong with an answer: where, and what is needed there; "" when nothing is."""
    if not isinstance(body, dict):
        return f"an object is needed, not {shown(body)}"
    found: list[str] = []
    for name, value in body.items():
        if name in _ONE:
            _look(value, _ONE[name], name, found)
        elif name in _MANY:
            _look(value, [_MANY[name]], name, found)
    return found[0] if found else ""


def _look(value: Any, wanted: Any, where: str, found: list[str]) -> None:
    kind = list if isinstance(wanted, list) else dict if isinstance(wanted, Mapping) else wanted
    if not _is(value, kind):
        found.append(f"{where}: {_said(kind)} is needed, not {shown(value)}")
    elif isinstance(wanted, list):
        _look_at_each(value, wanted[0], where, found)
    elif isinstance(wanted, Mapping):
        _look_inside(value, wanted, where, found)


def _look_at_each(values: Sequence[Any], wanted: Any, where: str, found: list[str]) -> None:
    for index, value in enumerate(values):
        _look(value, wanted, f"{where}[{index}]", found)


def _look_inside(values: Mapping[str, Any], shape: Shape, where: str, found: list[str]) -> None:
    for key, wanted in shape.items():
        name = key.rstrip("!")
        value = values.get(name)
        if value is not None:
            _look(value, wanted, f"{where}.{name}", found)
        elif name != key:
            found.append(f"{where}.{name}: is missing")


def _is(value: Any, kind: Any) -> bool:
    # True is an int to Python, and no number to anybody else.
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _said(kind: Any) -> str:
    return " or ".join(_KINDS[one] for one in kind) if isinstance(kind, tuple) else _KINDS[kind]
