# SPDX-License-Identifier: Apache-2.0
"""The contract of a hypervisor driver, and what it is told of a guest."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from oslo_config import cfg

if TYPE_CHECKING:
    from os_vif.negotiation.offer import Offer
    from os_vif.objects.vif import VIFBase


@dataclass(frozen=True)
class Guest:
    """A guest, as far as its interfaces are concerned.

    ``model``: the device that it is to see (virtio, e1000); empty leaves it to the driver. ``queues``: pairs of queues.
    ``shared_memory``: None where the driver is to find out. ``endpoint``: where a running guest is reached, the
    path of a QMP socket, a network namespace, whatever the driver needs. ``options``: more, by the driver's names.
    """

    name: str
    uuid: str
    model: str = ""
    queues: int = 1
    vcpus: int = 1
    shared_memory: bool | None = None
    endpoint: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendering:
    """What to give to the hypervisor: ``media`` is "xml", "json" or "arguments"; ``data`` the same as plain data."""

    media: str
    text: str
    data: Any = None


@dataclass(frozen=True)
class GuestTrouble:
    """Why a running guest cannot use an interface that it has been given.

    ``code``: for programs, told of in docs/operating.md. ``text`` and ``hint``: a sentence each, what is found and what
    to do. ``mendable``: whether attach() puts it right.
    """

    code: str
    text: str
    hint: str = ""
    mendable: bool = True


class HypervisorDriver(abc.ABC):
    """A hypervisor side, loaded from the entry point group ``os_vif.hypervisors``; it knows nothing of networks."""

    #: Options of the group ``os_vif_hypervisor_<name>``.
    CONFIG_OPTS: ClassVar[Sequence[cfg.Opt]] = ()

    #: Whether its guests can only be given interfaces while they run, with attach().
    HOT_ONLY: ClassVar[bool] = False

    #: Whether the hypervisor gives each guest a UUID, which uuid_of() looks up.
    GIVES_UUIDS: ClassVar[bool] = False

    def __init__(self, name: str, config: Any) -> None:
        self.name = name
        self.config = config

    def uuid_of(self, guest_name: str, endpoint: str) -> str | None:
        """The UUID by which the hypervisor at ``endpoint`` knows a guest; None where it does not.

        Raises HypervisorUnavailable where it must be asked and does not answer.
        """
        return None

    @abc.abstractmethod
    def offer(self, guest: Guest, host: str) -> Offer:
        """What the guest could use on this host, best first, and what it could not, with reasons.

        ``host``: the name by which the network side knows this host. Reads, changes nothing.
        """

    @abc.abstractmethod
    def render(self, vif: VIFBase, guest: Guest) -> Rendering:
        """The form in which the hypervisor takes the VIF. Pure. Raises CannotRender."""

    def attach(self, vif: VIFBase, guest: Guest) -> None:
        """Gives a plugged VIF to a running guest. Giving it again does nothing.

        Raises GuestNotFound, CannotRender, HotPlugFailed.
        """
        from os_vif import exception

        reason = "this hypervisor takes interfaces only before the guest is started."
        raise exception.HotPlugFailed(
            hypervisor=self.name, action="attach", vif_id=vif.id, guest=guest.name, reason=reason
        )

    def check(self, vif: VIFBase, guest: Guest) -> Sequence[GuestTrouble] | None:
        """What is wrong with an interface that the guest has been given, on its side. Reads, changes nothing.

        None where the guest does not run, or cannot be asked. Raises CannotRender.
        """
        return None

    def detach(self, vif: VIFBase, guest: Guest) -> None:  # noqa: B027 - what a driver without attach() needs
        """Takes the VIF from a running guest, and waits until the guest let go. Nothing happens if it has it not.

        Raises HotPlugFailed. A guest that does not exist any more has let go; one that cannot be given any has none.
        """
