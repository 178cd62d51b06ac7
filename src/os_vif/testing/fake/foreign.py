# SPDX-License-Identifier: Apache-2.0
"""Changes to a fake host that os-vif has not made: by an administrator, a service, or the hardware."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from os_vif.testing.fake import addresses as fake_addresses
from os_vif.testing.fake import creation, settings
from os_vif.testing.fake.event import Event
from os_vif.testing.fake.link import FakeLink, new_link
from os_vif.testing.fake.namespace import FakeNamespace


class Foreign:
    """Somebody else at work in the present network namespace. What is made here bears no mark of os-vif."""

    def __init__(self, here: Callable[[], FakeNamespace], note: Callable[[Event], None]) -> None:
        """``here``: the present network namespace. ``note`` is told of every change."""
        self._here = here
        self._note = note

    def add_nic(
        self,
        name: str,
        *,
        mac: str = "52:54:02:00:00:01",
        mtu: int = 1500,
        pci: str = "",
        addresses: Iterable[str] = (),
    ) -> FakeLink:
        """A physical network card, up, that survives a reboot."""
        here = self._here()
        link = here.add(new_link(name, here.next_index(), "", mac=mac, mac_is_set=True, mtu=mtu, pci=pci, up=True))
        link.addresses = [fake_addresses.address(text) for text in addresses]
        return self._noted("add", link)

    def add(self, name: str, kind: str = "bridge", **arguments: Any) -> FakeLink:
        """A device of a kind ("bridge", "tun", "veth", "macvtap", "vlan"), with the arguments of its operation."""
        here = self._here()
        if kind == "tun":
            creation.tap_add(here, name, **arguments)
        else:
            creation.link_add(here, name, kind, **arguments)
        link = here.links[name]
        for made in filter(None, (link, here.links.get(link.peer))):
            made.group, made.mac_is_set = 0, "mac" in arguments
        return self._noted("add", link)

    def set(self, name: str, **arguments: Any) -> FakeLink:
        """Changes attributes of a device, by the names of the operation "link.set"."""
        settings.link_set(self._here(), name, **arguments)
        return self._noted("set", self._here().links[name])

    def remove(self, name: str) -> None:
        """Removes a device, whosesoever it is."""
        link = self._here().find(name)
        creation.vanish(self._here(), link)
        self._noted("remove", link)

    def add_address(self, name: str, address: str) -> FakeLink:
        """Adds an address such as "192.0.2.1/24" to a device."""
        fake_addresses.address_add(self._here(), name, fake_addresses.address(address))
        return self._noted("add address to", self._here().links[name])

    def add_route(self, name: str, destination: str, via: str = "") -> FakeLink:
        """Adds a route by a device."""
        fake_addresses.route_add(self._here(), name, fake_addresses.route(destination, via))
        return self._noted("add route to", self._here().links[name])

    def set_sysctl(self, name: str, key: str, value: str) -> FakeLink:
        """Changes a per-device sysctl, named as in "ipv4/arp_ignore"."""
        family, _, rest = key.partition("/")
        settings.sysctl_set(self._here(), name, family, rest, value)
        return self._noted("set sysctl of", self._here().links[name])

    def _noted(self, what: str, link: FakeLink) -> FakeLink:
        self._note(Event(what, link.name, by="somebody"))
        return link
