# SPDX-License-Identifier: Apache-2.0
"""Finding an interface again in the XML that libvirt makes of a guest, with addresses and aliases filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def find(wanted: Element, domain: Element) -> Element | None:
    """The device of a domain that ``wanted``, an <interface> or <hostdev>, has become; None where it has it not."""
    identity = _identity(wanted)
    devices = domain.iterfind(f"devices/{wanted.tag}")
    return next((device for device in devices if _identity(device) == identity), None)


def _identity(device: Element) -> tuple[str | None, ...]:
    """What tells the interfaces of a guest apart. The address alone does not: those of a team have the same."""
    address = device.find("source/address")
    if address is not None:
        return device.get("type"), _mac(device), *_pci(address)
    return device.get("type"), _mac(device), _far_end(device)


def _far_end(device: Element) -> str | None:
    """Where it leads: the one thing of each type that libvirt leaves as it was told."""
    kind = device.get("type")
    if kind == "vhostuser":
        return _attribute(device, "source", "path")
    if kind in ("direct", "vdpa"):
        return _attribute(device, "source", "dev")
    return _attribute(device, "target", "dev")


def _mac(device: Element) -> str | None:
    mac = _attribute(device, "mac", "address")
    return mac and mac.lower()


def _pci(address: Element) -> tuple[str, ...]:
    """The same number may be written in more than one way: 0x0, 0x0000. What is no number is only itself."""
    return tuple(_number(address.get(part, "0")) for part in ("domain", "bus", "slot", "function"))


def _number(text: str) -> str:
    try:
        return str(int(text, 0))
    except ValueError:
        return text


def _attribute(device: Element, child: str, name: str) -> str | None:
    found = device.find(child)
    return None if found is None else found.get(name)
