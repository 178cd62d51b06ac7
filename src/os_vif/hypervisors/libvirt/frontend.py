# SPDX-License-Identifier: Apache-2.0
"""The guest's side of an interface: the device that it sees, and how libvirt drives that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from os_vif.hypervisors.libvirt import versions
from os_vif.hypervisors.libvirt.reading import need, refuse

if TYPE_CHECKING:
    from os_vif.hypervisors.driver import Guest
    from os_vif.hypervisors.libvirt.guest_options import GuestOptions
    from os_vif.hypervisors.libvirt.versions import Capabilities
    from os_vif.objects.vif import VIFBase

VIRTIO = "virtio"
#: The second and third: the names of libvirt 5.2.0 for virtio as old guests know it, and as only new ones do.
VIRTIO_MODELS = (VIRTIO, "virtio-transitional", "virtio-non-transitional")


class Frontend:
    """``interface_type``: as in <interface type=…>. Raises CannotRender."""

    def __init__(
        self, vif: VIFBase, guest: Guest, options: GuestOptions, can: Capabilities, interface_type: str
    ) -> None:
        self._vif = vif
        self._guest = guest
        self._options = options
        self._can = can
        self._vhost_user = interface_type == "vhostuser"
        self._model = guest.model or VIRTIO

    def elements(self) -> Iterator[Element]:
        """<model> and <driver>."""
        if self._model not in VIRTIO_MODELS:
            self._check_plain()
        yield Element("model", type=self._model)
        if self._model in VIRTIO_MODELS and (attributes := dict(self._driver())):
            yield Element("driver", attributes)

    def _check_plain(self) -> None:
        if self._vhost_user:
            refuse(self._vif, f"vhost-user needs a virtio device, and the guest is to see {self._model}.")
        if self._guest.queues > 1:
            reason = f"the guest is to have {self._guest.queues} pairs of queues, and {self._model} has one."
            refuse(self._vif, reason)

    def _driver(self) -> Iterator[tuple[str, str]]:
        options = self._options
        name = "" if self._vhost_user else self._backend()
        if name and self._can.has(versions.BACKEND_NAME):
            yield "name", name
        if self._guest.queues > 1:
            need(self._can, versions.VHOST_USER_QUEUES if self._vhost_user else versions.QUEUES, self._vif)
            yield "queues", str(self._guest.queues)
        if options.rx_queue_size:
            need(self._can, versions.RX_QUEUE_SIZE, self._vif)
            yield "rx_queue_size", str(options.rx_queue_size)
        # QEMU has queues of another size only towards vhost-user.
        if options.tx_queue_size and self._vhost_user:
            need(self._can, versions.TX_QUEUE_SIZE, self._vif)
            yield "tx_queue_size", str(options.tx_queue_size)
        if options.packed:
            need(self._can, versions.PACKED, self._vif)
            yield "packed", "on"

    def _backend(self) -> str:
        """Empty leaves it to libvirt: vhost where there is such a thing."""
        if self._options.virt_type == "qemu":
            return "qemu"
        return "vhost" if self._guest.queues > 1 or self._options.rx_queue_size else ""
