# SPDX-License-Identifier: Apache-2.0
"""The two sides that agree on a binding, and the host that it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from os_vif import drivers
from os_vif.lifecycle import options

if TYPE_CHECKING:
    from typing import Self

    from os_vif.hypervisors.driver import HypervisorDriver
    from os_vif.lifecycle.attachments import Attachment
    from os_vif.networks.driver import NetworkDriver


@dataclass(frozen=True)
class Sides:
    """A network side and a hypervisor side; ``host``: the name by which the network side knows this host."""

    network: NetworkDriver
    hypervisor: HypervisorDriver
    host: str

    @classmethod
    def load(cls, *, network: str = "", hypervisor: str = "", host: str = "") -> Self:
        """By the names of the drivers; those of the configuration where none are given. Raises DriverUnavailable."""
        configured = options.options()
        return cls(
            drivers.load(drivers.NETWORKS, network or configured.network_driver),
            drivers.load(drivers.HYPERVISORS, hypervisor or configured.hypervisor or ""),
            host or options.this_host(),
        )

    @classmethod
    def of(cls, attachment: Attachment) -> Self:
        """Those that made an attachment, whatever is configured today. Raises DriverUnavailable."""
        return cls.load(network=attachment.network_driver, hypervisor=attachment.hypervisor, host=attachment.host)
