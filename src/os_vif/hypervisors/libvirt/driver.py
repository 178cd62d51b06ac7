# SPDX-License-Identifier: Apache-2.0
"""The driver: offers by what libvirt and the guest are like, renders XML, and changes guests that run."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from xml.etree import ElementTree

from oslo_config import cfg

from os_vif import exception
from os_vif.hypervisors import offering
from os_vif.hypervisors.driver import Guest, GuestTrouble, HypervisorDriver, Rendering
from os_vif.hypervisors.libvirt import connection, offers, versions
from os_vif.hypervisors.libvirt.domain import Domain
from os_vif.hypervisors.libvirt.host_devices import HostDevices
from os_vif.hypervisors.libvirt.rendering import render, skeleton
from os_vif.hypervisors.libvirt.versions import Capabilities

if TYPE_CHECKING:
    from os_vif.negotiation.offer import Offer
    from os_vif.objects.vif import VIFBase


class LibvirtDriver(HypervisorDriver):
    """``endpoint`` of a guest is the URI of its libvirt; else it is the one of the option ``uri``."""

    CONFIG_OPTS: ClassVar[tuple[cfg.Opt, ...]] = (
        cfg.StrOpt("uri", default="qemu:///system", help="The libvirt of guests that do not say where they are."),
        cfg.StrOpt(
            "version",
            regex=r"\d+\.\d+(\.\d+)?",
            help="The version of libvirt that is rendered and offered for, such as 9.0.0. Asked of libvirt unless set;"
            " set it to render where no libvirt runs.",
        ),
        cfg.IntOpt(
            "detach_timeout",
            default=60,
            min=1,
            help="Seconds that a running guest is given to let go of an interface.",
        ),
        offering.LEASE,
    )

    GIVES_UUIDS: ClassVar[bool] = True

    def __init__(self, name: str, config: Any) -> None:
        super().__init__(name, config)
        self._devices = HostDevices()
        # Whoever renders for many guests asks once.
        self._version_at = functools.cache(_version_at)

    def uuid_of(self, guest_name: str, endpoint: str) -> str | None:
        """See HypervisorDriver. Where the version is configured, libvirt need not be there to be asked."""
        try:
            with connection.opened_for_reading(endpoint or str(self.config.uri)) as opened:
                return Domain.uuid_of(opened, guest_name)
        except exception.HypervisorUnavailable:
            if not self.config.version:
                raise
            return None

    def offer(self, guest: Guest, host: str) -> Offer:
        """See HypervisorDriver. Raises HypervisorUnavailable where libvirt must be asked and cannot.

        It is asked for its version, unless that is configured, and for the guest's memory, unless that is said; where
        the version is configured, it may be that nobody answers, and vhost-user is not offered then.
        """
        can = self._capabilities(guest)
        unusable = offers.unusable(can, guest, self._devices)
        shared, why = self._shared_memory(guest)
        if shared is None:
            unusable = {**offers.unknown_memory(guest, why), **unusable}
        return offering.offer(
            str(can),
            replace(guest, shared_memory=shared),
            host,
            offers.table(can, guest),
            others=offers.OTHERS,
            unusable=unusable,
            lease=self.config.lease,
            migration_methods=("live", "cold"),
        )

    def render(self, vif: VIFBase, guest: Guest) -> Rendering:
        """<interface> or <hostdev>, for the <devices> of a domain. Raises CannotRender.

        Also raises HypervisorUnavailable where libvirt's version is not configured and cannot be asked for.
        """
        element = self._element(vif, guest)
        ElementTree.indent(element)
        return Rendering("xml", ElementTree.tostring(element, encoding="unicode"))

    def attach(self, vif: VIFBase, guest: Guest) -> None:
        """Gives a plugged VIF to a guest: to the one that runs, and for its next boot if it is defined.

        A guest that does not run gets it for its next boot only. See HypervisorDriver for the rest.
        """
        with self._telling("attach", vif, guest), connection.opened(self._uri(guest)) as opened:
            domain = Domain.of(opened, guest)
            if domain is None:
                reason = f"there is none of that name or UUID at {self._uri(guest)}."
                raise exception.GuestNotFound(hypervisor=self.name, guest=guest.name, reason=reason)
            known = replace(guest, options={"virt_type": domain.type, **guest.options})
            domain.attach(self._element(vif, known))

    def check(self, vif: VIFBase, guest: Guest) -> Sequence[GuestTrouble] | None:
        """Asks libvirt whether the guest that runs has the interface, and whether somebody has cut its link."""
        element = skeleton(vif, self._devices)
        try:
            with connection.opened_for_reading(self._uri(guest)) as opened:
                domain = Domain.of(opened, guest)
                if domain is None or not domain.is_running():
                    return None
                return tuple(_troubles(guest, domain.live_interface(element)))
        except exception.HypervisorUnavailable:
            return None

    def detach(self, vif: VIFBase, guest: Guest) -> None:
        """Takes a VIF from a guest, also for its next boot, and waits until the one that runs let go."""
        element = skeleton(vif, self._devices)
        with self._telling("detach", vif, guest), connection.opened(self._uri(guest)) as opened:
            domain = Domain.of(opened, guest)
            if domain is not None and not domain.detach(element, self.config.detach_timeout):
                reason = f"the guest did not let go of it within {self.config.detach_timeout} seconds."
                raise self._failed("detach", vif, guest, reason)

    def _element(self, vif: VIFBase, guest: Guest) -> ElementTree.Element:
        return render(vif, guest, self._capabilities(guest), self._devices)

    def _capabilities(self, guest: Guest) -> Capabilities:
        if self.config.version:
            return Capabilities(versions.parse(self.config.version))
        return Capabilities(self._version_at(self._uri(guest)))

    def _shared_memory(self, guest: Guest) -> tuple[bool | None, str]:
        """Whether the guest's memory is shared; None where that cannot be known, and why."""
        if guest.shared_memory is not None:
            return guest.shared_memory, ""
        try:
            with connection.opened_for_reading(self._uri(guest)) as opened:
                domain = Domain.of(opened, guest)
                return (None, "libvirt does not know it yet.") if domain is None else (domain.shares_memory(), "")
        except exception.HypervisorUnavailable as error:
            if not self.config.version:
                raise
            return None, f"libvirt cannot be asked: {error}"

    @contextmanager
    def _telling(self, action: str, vif: VIFBase, guest: Guest) -> Iterator[None]:
        """What libvirt refuses is told with its own words."""
        libvirt = connection.module()
        try:
            yield
        except libvirt.libvirtError as error:
            raise self._failed(action, vif, guest, connection.words(error)) from error

    def _failed(self, action: str, vif: VIFBase, guest: Guest, reason: str) -> exception.HotPlugFailed:
        return exception.HotPlugFailed(
            hypervisor=self.name, action=action, vif_id=str(vif.id), guest=guest.name, reason=reason
        )

    def _uri(self, guest: Guest) -> str:
        return guest.endpoint or str(self.config.uri)


def _troubles(guest: Guest, interface: ElementTree.Element | None) -> Iterator[GuestTrouble]:
    if interface is None:
        text = f"libvirt's guest {guest.name} has no such interface: it was taken from the guest there."
        yield GuestTrouble("guest-device-gone", text)
    elif interface.find("link[@state='down']") is not None:
        mac = interface.find("mac")
        which = "its interface" if mac is None else mac.get("address", "")
        text = f"The link of {which} is down in libvirt's guest {guest.name}."
        hint = f"`virsh domif-setlink {guest.name} {which} up`, or ask who took it down."
        yield GuestTrouble("guest-link-down", text, hint, mendable=False)


def _version_at(uri: str) -> versions.Version:
    with connection.opened_for_reading(uri) as opened:
        return versions.from_number(opened.getLibVersion())
