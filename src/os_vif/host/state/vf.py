# SPDX-License-Identifier: Apache-2.0
"""The vocabulary for virtual functions (SR-IOV): what a plugin knows by the address of one, the host by names.

A virtual function is the guest's; what stands for it in the host is its representor, a device that the driver makes
when the card is in switchdev mode (the kernel's Documentation/networking/representors.rst).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from os_vif.host.state import Devices, ExistingLink, resource_type
from os_vif.host.state.ovs import OvsPort


@resource_type
@dataclass(frozen=True, kw_only=True)
class LinkOfFunction(ExistingLink):
    """The network device of the function, virtual or physical, at the PCI address ``function``."""

    name: str = ""
    function: str

    def resolved(self, devices: Devices) -> ExistingLink:
        """The device by its name. Raises LookupError."""
        name = devices.netdev_of_pci(self.function)
        if name is None:
            raise LookupError(f"there is no network device at PCI address {self.function}")
        return ExistingLink(name=name, mtu=self.mtu, shared=self.shared)


@resource_type
@dataclass(frozen=True, kw_only=True)
class Representor(ExistingLink):
    """The representor of the virtual function at the PCI address ``vf``."""

    name: str = ""
    vf: str

    def resolved(self, devices: Devices) -> ExistingLink:
        """The device by its name. Raises LookupError."""
        name = devices.representor_of(self.vf)
        return ExistingLink(name=name, mtu=self.mtu, up=True, leave_down=True, sysctls=self.sysctls)


@resource_type
@dataclass(frozen=True, kw_only=True)
class RepresentorPort(OvsPort):
    """A port for the representor of ``vf``; one with a ``name`` of its own is DPDK's, which opens the card itself."""

    name: str = ""
    vf: str

    def resolved(self, devices: Devices) -> OvsPort:
        """The port under the device's name, or the port of DPDK with the arguments for it. Raises LookupError."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(OvsPort)}
        if not self.name:
            return OvsPort(**values | {"name": devices.representor_of(self.vf), "device_stays": True})
        function, number = devices.physical_function_of(self.vf)
        arguments = {"dpdk-devargs": f"{function},representor=[{number}]"}
        return OvsPort(**values | {"type": "dpdk", "options": arguments})
