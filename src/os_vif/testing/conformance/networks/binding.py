# SPDX-License-Identifier: Apache-2.0
"""bind, unbind, show and decide: one port for one key, a type that was offered, nothing left of what is refused."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest

from os_vif import exception
from os_vif.negotiation.binding_types import BINDING_TYPES
from os_vif.networks.driver import ACTIVE
from os_vif.testing.conformance.networks.kit import NetworkKit


class Binding(NetworkKit):
    """Ports come and go."""

    def test_the_answer_is_whole(self) -> None:
        """A VIF of the class that was chosen, with the port's id, an address, and its network."""
        answer = self.bind()
        chosen = BINDING_TYPES[answer.choice]
        assert (answer.vif.obj_name(), answer.vif.plugin) == (chosen.vif_class, chosen.plugin)
        assert answer.vif_version in type(answer.vif).obj_versions()
        assert answer.vif.address
        assert answer.vif.network
        assert answer.vif.network.id
        assert type(answer).obj_from_primitive(answer.obj_to_primitive()) == answer

    def test_the_port_is_shown(self) -> None:
        """As the answer says, with one active binding."""
        request = self.request()
        answer = self.bind(request)
        port = self.driver.show(answer.vif.id)
        assert (port.port_id, port.key, port.ours) == (answer.vif.id, request.key, True)
        assert port.mac_address.lower() == str(answer.vif.address).lower()
        (binding,) = port.bindings
        assert (binding.port_id, binding.host) == (answer.vif.id, self.hosts[0])
        assert (binding.status, binding.choice) == (ACTIVE, answer.choice)
        assert binding.generation == answer.generation

    def test_asked_again_the_answer_is_the_same(self) -> None:
        """Also by another process; there is one port."""
        request = self.request()
        first = self.bind(request)
        assert self.driver.bind(request) == first
        self.driver = self.make_driver()
        assert self.driver.bind(request) == first
        assert len(self.driver.show(first.vif.id).bindings) == 1

    def test_a_port_is_found_by_its_key(self) -> None:
        """By whoever asked, and was killed before the answer came; once the port is gone there is none."""
        request = self.request()
        assert self.driver.find(request.key) is None
        port_id = self.bind(request).vif.id
        assert self.make_driver().find(request.key) == port_id
        self.driver.unbind(port_id, self.hosts[0])
        assert self.driver.find(request.key) is None

    def test_another_key_is_another_port(self) -> None:
        """With another MAC."""
        one, other = self.bind(), self.bind()
        assert one.vif.id != other.vif.id
        assert one.vif.address != other.vif.address

    def test_unbinding_takes_a_port_of_ours_away(self) -> None:
        """A second time does nothing, and neither does unbinding what never was."""
        before = self.unactivated()
        port_id = self.bind().vif.id
        self.driver.unbind(port_id, self.hosts[1])
        assert self.driver.show(port_id)
        self.driver.unbind(port_id, self.hosts[0])
        with pytest.raises(exception.NetworkNotFound):
            self.driver.show(port_id)
        self.driver.unbind(port_id, self.hosts[0])
        self.driver.unbind(str(uuid.uuid4()), self.hosts[0])
        assert self.unactivated() == before

    def test_bound_anew_after_unbinding(self) -> None:
        """The key is free again."""
        request = self.request()
        first = self.bind(request)
        self.driver.unbind(first.vif.id, self.hosts[0])
        assert self.driver.show(self.bind(request).vif.id).key == request.key

    def test_the_order_of_the_hypervisor_wins(self) -> None:
        """In whatever order the types are offered, the first that can be provided is chosen."""
        for order in itertools.islice(itertools.permutations(self.types), 24):
            assert self.bind(self.request(offer=self.make_offer(*order))).choice == order[0]
            behind = self.make_offer(self.impossible, *order)
            answer = self.bind(self.request(offer=behind))
            assert answer.choice == order[0]
            assert [refusal.candidate for refusal in answer.refusals] == [self.impossible]

    def test_never_a_type_that_was_not_offered(self) -> None:
        """Each alone is chosen or refused."""
        for name in BINDING_TYPES:
            try:
                assert self.bind(self.request(offer=self.make_offer(name))).choice == name
            except exception.BindingRefused:
                assert name not in self.types

    def test_what_is_refused_leaves_nothing(self) -> None:
        """Every candidate gets a code and a reason; no port, no binding."""
        before = self.unactivated()
        request = self.request(offer=self.make_offer(self.impossible))
        with pytest.raises(exception.BindingRefused) as caught:
            self.bind(request)
        (refusal,) = caught.value.refusals
        assert refusal.candidate == self.impossible
        assert refusal.code
        assert refusal.reason.endswith(".")
        assert self.unactivated() == before

    def test_deciding_changes_nothing(self) -> None:
        """It says what bind() would do, or why not."""
        before = self.unactivated()
        request = self.request()
        decision = self.driver.decide(request)
        refused = self.driver.decide(self.request(offer=self.make_offer(self.impossible)))
        assert self.unactivated() == before
        assert decision.choice
        assert decision.choice.candidate.name == self.bind(request).choice
        assert refused.choice is None
        assert [refusal.candidate for refusal in refused.refusals] == [self.impossible]

    def test_what_is_not_there_is_named(self) -> None:
        """Networks and ports."""
        before = self.unactivated()
        for ask in (self.driver.decide, self.driver.bind):
            with pytest.raises(exception.NetworkNotFound, match="no-such-network"):
                ask(self.request(network="no-such-network"))
        nobody = str(uuid.uuid4())
        with pytest.raises(exception.NetworkNotFound, match=nobody):
            self.driver.show(nobody)
        with pytest.raises(exception.NetworkNotFound, match=nobody):
            self.driver.bind(self.request(port_id=nobody))
        assert self.unactivated() == before

    def test_wanted_addresses_are_given(self) -> None:
        """And not to two ports; what is refused leaves nothing."""
        wanted: dict[str, Any] = {"mac_address": self.wanted_mac, "ip_addresses": [self.wanted_ip]}
        port = self.driver.show(self.bind(self.request(**wanted)).vif.id)
        assert (port.mac_address.lower(), port.ip_addresses) == (self.wanted_mac, (self.wanted_ip,))
        before = self.unactivated()
        for field, value in wanted.items():
            with pytest.raises(exception.NetworkConflict):
                self.driver.bind(self.request(**{field: value}))
        assert self.unactivated() == before
