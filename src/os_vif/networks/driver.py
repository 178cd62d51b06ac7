# SPDX-License-Identifier: Apache-2.0
"""The contract of a network driver, and what it tells of ports."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from oslo_config import cfg

if TYPE_CHECKING:
    from os_vif.exception import ExceptionBase
    from os_vif.negotiation.answer import Answer
    from os_vif.negotiation.choice import Decision
    from os_vif.negotiation.request import Request

ACTIVE, INACTIVE = "ACTIVE", "INACTIVE"


@dataclass(frozen=True)
class Binding:
    """A port on a host. ``lapses_at``: seconds since the epoch when it may be taken back; None once activated."""

    port_id: str
    host: str
    status: str
    generation: int
    choice: str = ""
    lapses_at: float | None = None


@dataclass(frozen=True)
class Port:
    """``ours``: the port was made by bind(), and goes with its last binding. ``key``: the attachment's, see Request."""

    port_id: str
    network: str
    mac_address: str
    ip_addresses: tuple[str, ...] = ()
    bindings: tuple[Binding, ...] = ()
    ours: bool = True
    key: str = ""


@dataclass(frozen=True)
class Service:
    """What a network side runs on this host for one of its networks, such as a DHCP server.

    ``differences`` say in words what is not, or was not, as it should be. ``vif_id``: what it is plugged as, if it is;
    ``error``: why it could not be put right.
    """

    name: str
    network: str = ""
    vif_id: str = ""
    differences: tuple[str, ...] = ()
    error: ExceptionBase | None = None


class NetworkDriver(abc.ABC):
    """A network side, loaded from the entry point group ``os_vif.networks``; it knows nothing of hypervisors.

    Every call may be repeated: a reply may get lost, and whoever asked may be killed and ask again. All raise
    NetworkUnavailable when the network side cannot be reached.
    """

    #: Options of the group ``os_vif_network_<name>``.
    CONFIG_OPTS: ClassVar[Sequence[cfg.Opt]] = ()

    def __init__(self, name: str, config: Any) -> None:
        self.name = name
        self.config = config

    @abc.abstractmethod
    def decide(self, request: Request) -> Decision:
        """What bind() would choose, and why. Nothing is changed. Raises NetworkNotFound."""

    @abc.abstractmethod
    def bind(self, request: Request) -> Answer:
        """Binds a port to the host of the offer, a new one unless there is one of that key or id.

        The first binding of a port is active; one for MIGRATE is inactive, beside it. Both lapse after the lease of
        the offer, unless activate() is called. Asked again with an unchanged request: the same answer.

        Raises BindingRefused, and then nothing is left behind; NetworkNotFound, NetworkConflict, NoAddressLeft.
        """

    @abc.abstractmethod
    def unbind(self, port_id: str, host: str) -> None:
        """Takes the binding away; with its last binding a port that bind() made goes, and its addresses.

        Nothing happens if there is no such binding or port.
        """

    @abc.abstractmethod
    def activate(self, port_id: str, host: str, generation: int) -> None:
        """Makes this binding the active one, for good; any other of the port becomes inactive.

        Compare and swap: ``generation`` is that of the answer; it is void when another binding has been activated
        since, until bind() is asked again. Nothing happens if it is active for good already.
        Raises BindingChanged, NetworkNotFound.
        """

    @abc.abstractmethod
    def find(self, key: str) -> str | None:
        """The id of the port that bind() gave for this key of a request, if it did; for callers that were killed."""

    @abc.abstractmethod
    def show(self, port_id: str) -> Port:
        """The port and its bindings. Raises NetworkNotFound."""

    @abc.abstractmethod
    def lapsed(self, now: float) -> Sequence[Binding]:
        """Bindings whose lease ran out before ``now``, for garbage collection."""

    def check_services(self) -> Sequence[Service]:
        """All that this network side runs on this host, with what is wrong with it. Nothing is changed."""
        return ()

    def repair_services(self) -> Sequence[Service]:
        """Puts right what check_services() would tell of, and tells what that was. An error of one is told with it."""
        return ()

    def collect_services(self, *, dry_run: bool) -> Sequence[Service]:
        """Ends what runs on this host for networks that are gone and that no guest uses; tells what that was."""
        return ()
