# SPDX-License-Identifier: Apache-2.0
"""Whether a veth leads to a guest as it was made: there, up, and with the addresses and routes of its network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from os_vif.host.kernel import addresses as kernel_addresses
from os_vif.host.kernel import namespaces, rtnetlink
from os_vif.host.kernel.rtnetlink import LinkInfo
from os_vif.hypervisors.driver import GuestTrouble
from os_vif.hypervisors.netns import addresses
from os_vif.hypervisors.netns.wire import InTheWay, Wire, number_of

if TYPE_CHECKING:
    from os_vif.objects.vif import VIFBase


def look(wire: Wire, vif: VIFBase) -> Iterator[GuestTrouble]:
    """What attach() would put right, and what it could not. Raises OSError."""
    host_end = wire.host_end()
    if host_end is None:
        yield GuestTrouble("guest-device-gone", f"{wire.name}, which leads to the guest's interface, was deleted.")
        return
    try:
        wire.check_ours(host_end)
    except InTheWay as error:
        yield GuestTrouble("guest-device-foreign", f"{error.strerror}.", "Delete or rename it.", mendable=False)
        return
    if host_end.name != wire.name:
        yield GuestTrouble("guest-device-renamed", f"{wire.name} was renamed to {host_end.name}.")
    yield from namespaces.inside(wire.namespace, lambda: list(_inside(wire, host_end, vif)))


def _inside(wire: Wire, host_end: LinkInfo, vif: VIFBase) -> Iterator[GuestTrouble]:
    link = rtnetlink.get_link_by_index(host_end.parent)
    if link is None or link.kind != "veth":
        text = f"The guest's end of {wire.name} is not in {wire.namespace} any more."
        hint = "Whoever moved it has to move it back; or `vif detach` and `vif attach` make another one."
        yield GuestTrouble("guest-device-moved", text, hint, mendable=False)
        return
    if not link.up:
        yield GuestTrouble("guest-device-down", f"{link.name} of the guest is down.")
    if wire.mtu not in (None, link.mtu):
        yield GuestTrouble("guest-mtu", f"{link.name} of the guest has an MTU of {link.mtu}, not {wire.mtu}.")
    has = {address["shown"] for address in kernel_addresses.addresses_of(link.index)}
    for address in addresses.addresses(vif):
        if address["shown"] not in has:
            yield GuestTrouble("guest-address", f"{link.name} of the guest has not its address {address['shown']}.")
    leads = {route["shown"] for route in kernel_addresses.routes_via(link.index)}
    for route in addresses.routes(vif, number_of(link.name)):
        if link.up and route["shown"] not in leads:
            yield GuestTrouble("guest-route", f"{link.name} of the guest has not its route {route['shown']}.")
