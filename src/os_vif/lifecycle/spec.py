# SPDX-License-Identifier: Apache-2.0
"""What somebody wants to be attached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from os_vif.negotiation.request import Purpose, Request
from os_vif.objects.instance_info import InstanceInfo

if TYPE_CHECKING:
    from os_vif.hypervisors.driver import Guest
    from os_vif.negotiation.offer import Offer


@dataclass(frozen=True)
class AttachmentSpec:
    """An interface of a guest, on a network or for a port that is there.

    ``name`` tells a guest's interfaces apart, also several on one network; it is the network's, or the port's id,
    unless given. ``hot``: the guest runs, and gets the interface at once.
    """

    guest: Guest
    network: str = ""
    port_id: str | None = None
    name: str = ""
    hot: bool = False
    vnic_type: str = "normal"
    mac_address: str | None = None
    ip_addresses: tuple[str, ...] = ()

    @property
    def interface(self) -> str:
        """What tells it apart from the guest's others."""
        return self.name or self.network or str(self.port_id)

    @property
    def key(self) -> str:
        """What the interface is known by on both sides: the same on every host that the guest moves to."""
        return f"{self.guest.uuid}/{self.interface}"

    @property
    def instance(self) -> InstanceInfo:
        """The guest, as plugins and networks know it."""
        return InstanceInfo(uuid=self.guest.uuid, name=self.guest.name)

    def request(self, offer: Offer, purpose: str = Purpose.ATTACH) -> Request:
        """What to ask of the network side."""
        return Request(
            key=self.key,
            offer=offer,
            instance=self.instance,
            network=self.network,
            port_id=self.port_id,
            purpose=purpose,
            vnic_type=self.vnic_type,
            queues=self.guest.queues,
            guest_model=self.guest.model,
            mac_address=self.mac_address,
            ip_addresses=list(self.ip_addresses),
        )
