# SPDX-License-Identifier: Apache-2.0
"""What the tests of a network driver stand on: how a driver is made, what is asked of it, and what it left behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pytest

from os_vif.negotiation.answer import Answer
from os_vif.negotiation.offer import Offer
from os_vif.negotiation.request import Request
from os_vif.networks.driver import Binding, NetworkDriver
from os_vif.objects.instance_info import InstanceInfo
from os_vif.testing import offers

#: Later than any lease ends, in seconds since the epoch.
FAR_FUTURE = 1e11


class NetworkKit:
    """What a subclass says of its driver. Every test gets a driver; what it bound is unbound after it."""

    #: Binding types that the driver can provide for a port of ``network`` on any of ``hosts``. Not all networks can
    #: provide more than one.
    types: ClassVar[Sequence[str]] = ()
    #: A binding type that it cannot provide.
    impossible: ClassVar[str] = "hostdev"
    #: The name of a network that exists, with at least 30 free addresses.
    network: ClassVar[str] = "blue"
    #: Two hosts that the driver knows.
    hosts: ClassVar[tuple[str, str]] = ("host-a", "host-b")
    #: Addresses that nobody has, which a port of ``network`` could be given.
    wanted_mac: ClassVar[str] = "52:54:00:aa:bb:cc"
    wanted_ip: ClassVar[str] = "192.0.2.77"

    def make_driver(self) -> NetworkDriver:
        """A driver, as a process makes it when it starts. Called several times for one network side, and in forks."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Makes the network side before a test, if that is not done already: ``network``, and what ``hosts`` need."""

    def make_offer(self, *types: str, host: str = "", lease: int = 600) -> Offer:
        """What a hypervisor on ``host`` (the first, if none is given) accepts: ``types``, or all that there are."""
        return offers.offer(*(types or self.types), host=host or self.hosts[0], lease=lease)

    # --- surroundings ---------------------------------------------------------------------------------------

    driver: NetworkDriver

    @pytest.fixture(autouse=True)
    def _surroundings(self) -> Iterator[None]:
        self._bound: set[tuple[str, str]] = set()
        self._instance = InstanceInfo(uuid=str(uuid.uuid4()), name="guest", project_id="blue")
        self.prepare()
        self.driver = self.make_driver()
        yield
        for port_id, host in self._bound:
            self.driver.unbind(port_id, host)

    # --- for the tests --------------------------------------------------------------------------------------

    def request(self, key: str = "", *, offer: Offer | None = None, **fields: Any) -> Request:
        """A request for a port of ``network``; a new key unless one is given."""
        named = {"key": key or self.new_key(), "instance": self._instance}
        return Request(**{"network": self.network, **named, "offer": offer or self.make_offer(), **fields})

    def new_key(self) -> str:
        """A key that nobody has used."""
        return f"{self._instance.uuid}:{uuid.uuid4().hex[:8]}"

    def bind(self, request: Request | None = None) -> Answer:
        """Binds a port, which is unbound after the test."""
        request = request or self.request()
        answer = self.driver.bind(request)
        self.remember(answer.vif.id, request.offer.host)
        return answer

    def remember(self, port_id: str, host: str) -> None:
        """Unbinds after the test what it has bound by other ways."""
        self._bound.add((port_id, host))

    def unactivated(self) -> set[tuple[str, str]]:
        """(port id, host) of every binding that waits for activation: what a bind that went wrong might leave."""
        return {(found.port_id, found.host) for found in self.driver.lapsed(FAR_FUTURE)}

    def binding(self, port_id: str, host: str) -> Binding:
        """One binding of a port, as the driver shows it."""
        return next(found for found in self.driver.show(port_id).bindings if found.host == host)
