# SPDX-License-Identifier: Apache-2.0
"""How a device comes into being: created down, marked, host IP switched off, configured, then up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from os_vif import exception
from os_vif.host.backends.link_view import LinkView
from os_vif.host.contract.operations import Operation
from os_vif.host.contract.plan import Step
from os_vif.host.journal import marks
from os_vif.host.state import Bridge, Link, Macvtap, Tap, Veth, VethPeer, Vlan

_BRIDGE_OPTIONS = ("ageing_time", "forward_delay", "stp", "mcast_snooping")


def steps(link: Link, view: LinkView, vif_id: str, home: str) -> list[Step]:
    """The steps that create a device as stated, for a VIF, told by a journal. Undoing the first undoes them all."""
    return [*_creation(link, view), _marking(link, vif_id, home), *_settings(link)]


def options_of(link: Link) -> dict[str, Any]:
    """What is particular to the kind of device, by the kernel's names; only what is stated."""
    if isinstance(link, Bridge):
        stated = {name: getattr(link, name) for name in _BRIDGE_OPTIONS}
        return {name: int(value) for name, value in stated.items() if value is not None}
    if isinstance(link, Vlan):
        return {"vlan_id": link.vlan_id}
    return {"mode": link.mode} if isinstance(link, Macvtap) else {}


def mac_of(link: Link, view: LinkView) -> str | None:
    """The MAC address that a device is to have; None for any."""
    return link.mac or (view.mac_of_first(link.uplink) if isinstance(link, Bridge) else None)


def parent_of(link: Vlan | Macvtap, view: LinkView) -> str:
    """The name of the device below. Raises DeviceMissing when nothing is at the PCI address."""
    if link.parent_pci and not link.parent:
        name = view.netdev_of_pci(link.parent_pci)
        if name is None:
            raise exception.DeviceMissing(
                f"No network device is found at PCI address {link.parent_pci}, and {link.label} needs one.",
                device=link.parent_pci,
            )
        return name
    return link.parent or ""


def _creation(link: Link, view: LinkView) -> Iterator[Step]:
    attributes: dict[str, Any] = {"name": link.name}
    if mac := mac_of(link, view):
        attributes["mac"] = mac
    if link.mtu is not None and not isinstance(link, Bridge):
        attributes["mtu"] = link.mtu
    if isinstance(link, VethPeer):
        # Its other end has just made it.
        if len(attributes) > 1:
            yield Step("link", link.name, f"configure {link.label}", Operation("link.set", attributes))
        return
    name = "tap.add" if isinstance(link, Tap) else "link.add"
    operation = Operation(name, attributes | _particulars(link, view))
    undo = Operation("link.delete", {"name": link.name})
    yield Step("link", link.name, f"create {link.label}{_details(link, view)}", operation, undo)


def _particulars(link: Link, view: LinkView) -> dict[str, Any]:
    if isinstance(link, Tap):
        stated = {"multi_queue": link.multi_queue, "owner": link.owner, "group": link.group}
        return {name: value for name, value in stated.items() if value not in (None, False)}
    extra: dict[str, Any] = {"kind": link.kind}
    if isinstance(link, Veth):
        extra["peer"] = link.peer
    elif isinstance(link, Vlan | Macvtap):
        extra["parent"] = parent_of(link, view)
    options = options_of(link)
    return extra | ({"options": options} if options else {})


def _details(link: Link, view: LinkView) -> str:
    if isinstance(link, Veth):
        return f" with peer {link.peer}"
    if isinstance(link, Vlan):
        return f" for VLAN {link.vlan_id} on {parent_of(link, view)}"
    if isinstance(link, Macvtap):
        return f" in mode {link.mode} on {parent_of(link, view)}"
    return " with several queues" if isinstance(link, Tap) and link.multi_queue else ""


def _marking(link: Link, vif_id: str, home: str) -> Step:
    operation = Operation("link.set", {"name": link.name, "alias": marks.alias_for(link, vif_id, home)})
    return Step("link", link.name, f"mark {link.name} as {marks.text_for(link, vif_id)}", operation)


def _settings(link: Link) -> Iterator[Step]:
    def set_link(text: str, **values: Any) -> Step:
        return Step("link", link.name, text, Operation("link.set", {"name": link.name, **values}))

    for key, value in link.sysctls.items():
        family, _, name = key.partition("/")
        arguments = {"name": link.name, "family": family, "key": name, "value": value}
        yield Step("link", link.name, f"set sysctl {key} of {link.name} to {value}", Operation("sysctl.set", arguments))
    if isinstance(link, Macvtap) and link.mode == "passthru" and link.mac is not None:
        # The kernel gives a new one the address of the device below, whatever it is told.
        yield set_link(f"set mac of {link.name} to {link.mac}", mac=link.mac)
    if link.master is not None:
        yield set_link(f"add {link.name} to bridge {link.master}", master=link.master)
    if link.promiscuous:
        yield set_link(f"make {link.name} promiscuous", promiscuous=True)
    if link.mtu is not None and isinstance(link, Bridge):
        yield set_link(f"set mtu of {link.name} to {link.mtu}", mtu=link.mtu)
    if link.up:
        yield set_link(f"bring {link.name} up", up=True)
