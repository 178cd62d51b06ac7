# SPDX-License-Identifier: Apache-2.0
"""The two sides that agree on a binding, and the host that it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from os_vif import exception
from os_vif.lifecycle import hints, options
from os_vif.lifecycle.attachments import Attachment, Phase
from os_vif.loading import drivers

if TYPE_CHECKING:
    from typing import Self

    from os_vif.hypervisors.driver import HypervisorDriver
    from os_vif.lifecycle.spec import AttachmentSpec
    from os_vif.networks.driver import NetworkDriver


@dataclass(frozen=True)
class Parties:
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
        try:
            return cls.load(network=attachment.network_driver, hypervisor=attachment.hypervisor, host=attachment.host)
        except exception.DriverUnavailable as error:
            error.hint = error.hint or hints.of_forcing(attachment.spec)
            raise

    def begin(self, spec: AttachmentSpec, phase: Phase) -> Attachment:
        """An attachment between these, of which nothing is done yet."""
        return Attachment(spec, self.network.name, self.hypervisor.name, self.host, phase)

    @classmethod
    def left_of(cls, attachment: Attachment) -> Self:
        """The same, also where a driver cannot be loaded: whatever is asked of it then raises DriverUnavailable."""
        return cls(
            _load_or_stand_in(drivers.NETWORKS, attachment.network_driver),
            _load_or_stand_in(drivers.HYPERVISORS, attachment.hypervisor),
            attachment.host,
        )


class _Gone:
    """Stands in for a driver that cannot be loaded."""

    def __init__(self, error: exception.DriverUnavailable) -> None:
        self._error = error

    def __getattr__(self, name: str) -> NoReturn:
        raise self._error


def _load_or_stand_in(group: str, name: str) -> Any:
    try:
        return drivers.load(group, name)
    except exception.DriverUnavailable as error:
        return _Gone(error)
