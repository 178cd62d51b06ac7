# SPDX-License-Identifier: Apache-2.0
"""A guest of a libvirt that runs: what it has, giving it an interface, and taking one from it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from os_vif.hypervisors.libvirt import connection
from os_vif.hypervisors.libvirt.matching import find

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from os_vif.hypervisors.driver import Guest

#: Seconds. A guest that still boots does not hear that it is to let go, and must be asked again.
_ASK_AGAIN, _LOOK_AGAIN = 5.0, 0.05

#: QEMU's words for a device that it was already asked to remove.
_ALREADY_ASKED = "in the process of unplug"


class Domain:
    """A guest, running or not. A guest that runs and is also defined has two sets of interfaces: now, and at next boot.

    Whatever libvirt refuses raises libvirt's own error.
    """

    def __init__(self, domain: Any) -> None:
        self._domain = domain
        self._libvirt = connection.module()

    @classmethod
    def of(cls, opened: Any, guest: Guest) -> Domain | None:
        """The guest with that UUID, or else of that name; None where there is none."""
        found = _looked_up(opened.lookupByUUIDString, guest.uuid) or _looked_up(opened.lookupByName, guest.name)
        return cls(found) if found else None

    @staticmethod
    def uuid_of(opened: Any, name: str) -> str | None:
        """The UUID of the guest of that name; None where there is none."""
        found = _looked_up(opened.lookupByName, name)
        return str(found.UUIDString()) if found else None

    @property
    def type(self) -> str:
        """What runs it: "kvm", "qemu" for QEMU without it, ..."""
        return connection.parsed(self._domain.XMLDesc()).get("type", "")

    def shares_memory(self) -> bool:
        """Whether other processes can be given the guest's memory, as vhost-user needs it."""
        whole = connection.parsed(self._domain.XMLDesc())
        everywhere = whole.find("memoryBacking/access[@mode='shared']") is not None
        return everywhere or whole.find("cpu/numa/cell[@memAccess='shared']") is not None

    def live_interface(self, element: Element) -> Element | None:
        """What ``element`` has become in the guest that runs; None where it has it not, or does not run."""
        return self._find_live(element)

    def is_running(self) -> bool:
        """Whether it runs, or is paused."""
        return bool(self._domain.isActive())

    def attach(self, element: Element) -> None:
        """Gives an interface where it is missing: to the guest that runs, and for its next boot."""
        missing = [scope for scope in self._scopes() if self._find(element, scope) is None]
        if missing:
            self._domain.attachDeviceFlags(_text(element), sum(missing))

    def detach(self, element: Element, seconds: float) -> bool:
        """Takes an interface away; False where the guest that runs did not let go of it in time."""
        for scope in self._scopes():
            found = self._find(element, scope)
            if found is not None and scope == self._config:
                self._domain.detachDeviceFlags(_text(found), scope)
        return self._let_go(element, time.monotonic() + seconds)

    def _let_go(self, element: Element, deadline: float) -> bool:
        asked_at = None
        while (found := self._find_live(element)) is not None:
            now = time.monotonic()
            if now > deadline:
                return False
            if asked_at is None or now - asked_at > _ASK_AGAIN:
                self._ask_to_let_go(found)
                asked_at = time.monotonic()
            time.sleep(_LOOK_AGAIN)
        return True

    def _ask_to_let_go(self, found: Element) -> None:
        """QEMU is asked to ask the guest; libvirt itself waits some seconds for the answer."""
        try:
            self._domain.detachDeviceFlags(_text(found), self._live)
        except self._libvirt.libvirtError as error:
            if error.get_error_code() not in self._it_is_gone and _ALREADY_ASKED not in str(error):
                raise

    def _find_live(self, element: Element) -> Element | None:
        """None also where the guest does not run, any more."""
        try:
            return self._find(element, self._live) if self._domain.isActive() else None
        except self._libvirt.libvirtError as error:
            if error.get_error_code() in self._it_is_gone:
                return None
            raise

    def _find(self, element: Element, scope: int) -> Element | None:
        flags = self._libvirt.VIR_DOMAIN_XML_INACTIVE if scope == self._config else 0
        return find(element, connection.parsed(self._domain.XMLDesc(flags)))

    def _scopes(self) -> Iterator[int]:
        if self._domain.isActive():
            yield self._live
        if self._domain.isPersistent():
            yield self._config

    @property
    def _live(self) -> int:
        return int(self._libvirt.VIR_DOMAIN_AFFECT_LIVE)

    @property
    def _config(self) -> int:
        return int(self._libvirt.VIR_DOMAIN_AFFECT_CONFIG)

    @property
    def _it_is_gone(self) -> tuple[int, ...]:
        """The guest, or the device of it, since we looked."""
        libvirt = self._libvirt
        return libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_DEVICE_MISSING


def _looked_up(look_up: Callable[[str], Any], key: str) -> Any:
    """The domain, or None where there is none."""
    libvirt = connection.module()
    try:
        return look_up(key)
    except libvirt.libvirtError as error:
        if error.get_error_code() in (libvirt.VIR_ERR_NO_DOMAIN, libvirt.VIR_ERR_INVALID_ARG):
            return None
        raise


def _text(element: Element) -> str:
    return ElementTree.tostring(element, encoding="unicode")
