# SPDX-License-Identifier: Apache-2.0
"""activate and lapsed: a binding is for good once somebody says so who knows its generation; until then it lapses."""

from __future__ import annotations

import time
import uuid

import pytest

from os_vif import exception
from os_vif.networks.driver import ACTIVE
from os_vif.testing.conformance.networks.kit import NetworkKit

_LEASE = 50


class Activation(NetworkKit):
    """A binding, from its beginning on."""

    def test_a_binding_lapses(self) -> None:
        """After the lease of the offer, not before; lapsing is told of, the binding is there until it is unbound."""
        start = time.time()
        port_id = self.bind(self.request(offer=self.make_offer(lease=_LEASE))).vif.id
        end = time.time() + _LEASE
        lapses_at = self.binding(port_id, self.hosts[0]).lapses_at
        assert lapses_at is not None
        # Network sides may keep whole seconds.
        assert start + _LEASE - 1 <= lapses_at <= end + 1
        assert not [found for found in self.driver.lapsed(lapses_at - 1) if found.port_id == port_id]
        assert [found.host for found in self.driver.lapsed(end + 2) if found.port_id == port_id] == [self.hosts[0]]
        self.driver.unbind(port_id, self.hosts[0])
        assert not [found for found in self.driver.lapsed(end + 2) if found.port_id == port_id]

    def test_activated_it_stays(self) -> None:
        """A second time does nothing."""
        answer = self.bind()
        for _ in range(2):
            self.driver.activate(answer.vif.id, self.hosts[0], answer.generation)
            binding = self.binding(answer.vif.id, self.hosts[0])
            assert (binding.status, binding.lapses_at) == (ACTIVE, None)
        assert (answer.vif.id, self.hosts[0]) not in self.unactivated()

    def test_asked_again_after_activation(self) -> None:
        """A caller that was killed and asks again gets the same answer, and the binding stays for good."""
        request = self.request()
        answer = self.bind(request)
        self.driver.activate(answer.vif.id, self.hosts[0], answer.generation)
        assert self.driver.bind(request) == answer
        assert self.binding(answer.vif.id, self.hosts[0]).lapses_at is None

    def test_whoever_knows_another_generation_is_refused(self) -> None:
        """And the binding is as it was."""
        answer = self.bind()
        before = self.binding(answer.vif.id, self.hosts[0])
        with pytest.raises(exception.BindingChanged, match=str(answer.generation + 1)):
            self.driver.activate(answer.vif.id, self.hosts[0], answer.generation + 1)
        assert self.binding(answer.vif.id, self.hosts[0]) == before

    def test_another_request_is_another_generation(self) -> None:
        """Who got the earlier answer cannot activate what he does not know."""
        if len(self.types) < 2:
            pytest.skip("the driver has one type only")
        key = self.new_key()
        first = self.bind(self.request(key, offer=self.make_offer(self.types[0])))
        second = self.bind(self.request(key, offer=self.make_offer(self.types[1])))
        assert second.vif.id == first.vif.id
        assert second.choice == self.types[1]
        assert second.generation > first.generation
        with pytest.raises(exception.BindingChanged):
            self.driver.activate(first.vif.id, self.hosts[0], first.generation)
        self.driver.activate(second.vif.id, self.hosts[0], second.generation)

    def test_what_is_not_there_cannot_be_activated(self) -> None:
        """Neither a port that is not there nor one that is not bound there."""
        answer = self.bind()
        with pytest.raises(exception.NetworkNotFound):
            self.driver.activate(answer.vif.id, self.hosts[1], answer.generation)
        with pytest.raises(exception.NetworkNotFound):
            self.driver.activate(str(uuid.uuid4()), self.hosts[0], 1)
