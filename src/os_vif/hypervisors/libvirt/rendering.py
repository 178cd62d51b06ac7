# SPDX-License-Identifier: Apache-2.0
"""A VIF as an element of a domain's XML, in the order of libvirt's own output, more or less."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from os_vif.hypervisors.libvirt import guest_options, versions
from os_vif.hypervisors.libvirt.frontend import Frontend
from os_vif.hypervisors.libvirt.host_devices import HostDevices
from os_vif.hypervisors.libvirt.reading import need, refuse, required
from os_vif.hypervisors.libvirt.versions import Capabilities
from os_vif.hypervisors.libvirt.wiring import Wiring, wiring
from os_vif.objects.reading import stated

if TYPE_CHECKING:
    from os_vif.hypervisors.driver import Guest
    from os_vif.objects.vif import VIFBase

#: The types of <interface> whose traffic is shaped, filtered, or whose MTU is set, on a device that libvirt knows.
_SHAPED = ("bridge", "direct", "ethernet")
_FILTERED = _WITH_MTU = ("bridge", "ethernet")

_PCI = re.compile(r"([0-9a-f]+):([0-9a-f]+):([0-9a-f]+)\.([0-9a-f]+)", re.IGNORECASE)


def render(vif: VIFBase, guest: Guest, can: Capabilities | None = None, devices: HostDevices | None = None) -> Element:
    """<interface>, or <hostdev> for a device that is not a network interface to libvirt.

    ``can``: what this libvirt can be told; all, unless given. ``devices``: of the host. Raises CannotRender.
    """
    return _Rendering(vif, guest, can or Capabilities(), devices or HostDevices()).element()


def skeleton(vif: VIFBase, devices: HostDevices | None = None) -> Element:
    """So much of the element as tells it from others: the same, whatever the guest and libvirt are like.

    Raises CannotRender.
    """
    wired = wiring(vif, Capabilities(), devices or HostDevices())
    element = _opening(wired)
    if wired.type != "pci":
        element.append(Element("mac", address=str(stated(vif, "address") or "")))
    for tag, attributes in (("source", wired.source), ("target", wired.target)):
        if attributes:
            element.append(Element(tag, dict(attributes)))
    element.extend(list(_pci_source(vif, wired)))
    return element


def _opening(wired: Wiring) -> Element:
    if wired.type == "pci":
        return Element("hostdev", mode="subsystem", type="pci", managed="yes")
    return Element("interface", {"type": wired.type, **({"managed": "yes"} if wired.type == "hostdev" else {})})


def _pci_source(vif: VIFBase, wired: Wiring) -> Iterator[Element]:
    if not wired.pci:
        return
    match = _PCI.fullmatch(wired.pci)
    if match is None:
        refuse(vif, f"dev_address is {wired.pci}, which is not a PCI address.")
    parts = zip(("domain", "bus", "slot", "function"), match.groups(), strict=True)
    source = Element("source")
    kind = {"type": "pci"} if wired.type == "hostdev" else {}  # <hostdev> has said so already
    SubElement(source, "address", {**kind, **{name: f"0x{digits.lower()}" for name, digits in parts}})
    yield source


class _Rendering:
    def __init__(self, vif: VIFBase, guest: Guest, can: Capabilities, devices: HostDevices) -> None:
        self._vif = vif
        self._guest = guest
        self._can = can
        self._options = guest_options.read(guest, vif)
        self._wiring = wiring(vif, can, devices)

    def element(self) -> Element:
        self._check_queues()
        element = _opening(self._wiring)
        if self._wiring.type != "pci":
            element.extend(list(self._of_an_interface()))
        element.extend(list(_pci_source(self._vif, self._wiring)))
        element.extend(list(self._traffic()))
        return element

    def _of_an_interface(self) -> Iterator[Element]:
        yield Element("mac", address=str(required(self._vif, "address", "because the guest's card has it")))
        if not self._wiring.is_passed_through:
            yield from Frontend(self._vif, self._guest, self._options, self._can, self._wiring.type).elements()
        if self._wiring.source:
            yield Element("source", dict(self._wiring.source))
        if self._wiring.type == "ethernet" and not self._can.has(versions.MAKES_TAP):
            # Or QEMU would run /etc/qemu-ifup on it.
            yield Element("script", path="")
        mtu = stated(self._vif, "network", "mtu")
        if mtu and self._wiring.type in _WITH_MTU and self._can.has(versions.MTU):
            yield Element("mtu", size=str(mtu))
        if self._wiring.target:
            yield Element("target", dict(self._wiring.target))

    def _traffic(self) -> Iterator[Element]:
        if self._wiring.vlan:
            vlan = Element("vlan")
            SubElement(vlan, "tag", id=str(self._wiring.vlan))
            yield vlan
        if self._wiring.virtualport:
            yield _with_parameters(self._wiring.virtualport)
        if self._options.filter:
            yield self._filter()
        if self._options.inbound or self._options.outbound:
            yield self._bandwidth()

    def _check_queues(self) -> None:
        asked = self._guest.queues > 1
        if self._wiring.multi_queue is not None and self._wiring.multi_queue != asked:
            # The kernel refuses to open a tap in the other way.
            reason = (
                "its tap is made for one pair of queues" if asked else "its tap is made for several pairs of queues"
            )
            refuse(self._vif, f"{reason}, and the guest is to have {self._guest.queues}.")

    def _filter(self) -> Element:
        need(self._can, versions.FILTER, self._vif)
        if self._wiring.type not in _FILTERED or self._wiring.virtualport:
            refuse(self._vif, "libvirt filters the traffic of taps only, and not of those it adds to a switch.")
        element = Element("filterref", filter=self._options.filter)
        for name, value in self._options.filter_parameters.items():
            SubElement(element, "parameter", name=name, value=value)
        return element

    def _bandwidth(self) -> Element:
        need(self._can, versions.BANDWIDTH, self._vif)
        if self._wiring.type not in _SHAPED:
            refuse(self._vif, "libvirt cannot limit the bandwidth of what does not pass through a device of the host.")
        element = Element("bandwidth")
        for direction, limits in (("inbound", self._options.inbound), ("outbound", self._options.outbound)):
            if limits:
                SubElement(element, direction, {name: str(value) for name, value in limits.items()})
        return element


def _with_parameters(virtualport: Mapping[str, str]) -> Element:
    element = Element("virtualport", type=virtualport["type"])
    SubElement(element, "parameters", {name: value for name, value in virtualport.items() if name != "type"})
    return element
