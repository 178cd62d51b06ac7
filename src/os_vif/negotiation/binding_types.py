# SPDX-License-Identifier: Apache-2.0
"""The names of binding types: what a header lists and what people say; each is a class of VIF and a plugin."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BindingType:
    """``name``: a token of RFC 9651. ``vif_class`` and ``plugin``: the names that are on the wire."""

    name: str
    vif_class: str
    plugin: str
    meaning: str


_ALL = (
    BindingType("ovs", "VIFOpenVSwitch", "ovs", "a port of Open vSwitch"),
    BindingType("ovs-hybrid", "VIFBridge", "ovs", "a Linux bridge, for iptables, between guest and Open vSwitch"),
    BindingType("vhostuser", "VIFVHostUser", "ovs", "shared memory with Open vSwitch"),
    BindingType("ovs-hostdev", "VIFHostDevice", "ovs", "a virtual function with a representor in Open vSwitch"),
    BindingType("bridge", "VIFBridge", "linux_bridge", "a port of a Linux bridge"),
    BindingType("tap", "VIFGeneric", "tap", "a tap device that the network side routes or wires itself"),
    BindingType("macvtap", "VIFDirect", "macvtap", "a macvtap device on a device of the host"),
    BindingType("hostdev", "VIFHostDevice", "noop", "a PCI device, passed through"),
    BindingType("vhostuser-noop", "VIFVHostUser", "noop", "shared memory with a switch that wires the port itself"),
)

BINDING_TYPES = {binding.name: binding for binding in _ALL}
"""By name. A type that is not here is named ``<plugin>.<class>``, see name_of()."""


def name_of(vif_class: str, plugin: str) -> str:
    """The name of the binding type: the well-known one, or one made of both for plugins of third parties."""
    for binding in _ALL:
        if (binding.vif_class, binding.plugin) == (vif_class, plugin):
            return binding.name
    return f"{plugin}.{vif_class}".lower()
