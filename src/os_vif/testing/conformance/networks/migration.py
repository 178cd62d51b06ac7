# SPDX-License-Identifier: Apache-2.0
"""A guest moves: its port has a second binding, and one of the two goes when it is known where the guest is."""

from __future__ import annotations

import pytest

from os_vif import exception
from os_vif.negotiation.answer import Answer
from os_vif.negotiation.request import Purpose, Request
from os_vif.networks.driver import ACTIVE, INACTIVE
from os_vif.testing.conformance.networks.kit import NetworkKit


class Migration(NetworkKit):
    """From the first of ``hosts`` to the second."""

    def test_the_second_binding_is_inactive(self) -> None:
        """The same port with the same addresses, and the first binding as it was."""
        source, target = self._migrating()
        assert (target.vif.id, target.vif.address) == (source.vif.id, source.vif.address)
        assert self._statuses(source.vif.id) == {self.hosts[0]: ACTIVE, self.hosts[1]: INACTIVE}

    def test_asked_again_there_is_no_third(self) -> None:
        """The same answer."""
        request = self.request(self.new_key())
        source = self.bind(request)
        to_there = self._to_second_host(request.key, source)
        assert self.bind(to_there) == self.bind(to_there)
        assert len(self.driver.show(source.vif.id).bindings) == 2

    def test_arrived(self) -> None:
        """Activated, the second is the active one; when the first is unbound the port stays, until the last goes."""
        source, target = self._migrating()
        self.driver.activate(target.vif.id, self.hosts[1], target.generation)
        assert self._statuses(source.vif.id) == {self.hosts[0]: INACTIVE, self.hosts[1]: ACTIVE}
        self.driver.unbind(source.vif.id, self.hosts[0])
        assert self._statuses(source.vif.id) == {self.hosts[1]: ACTIVE}
        self.driver.unbind(source.vif.id, self.hosts[1])
        with pytest.raises(exception.NetworkNotFound):
            self.driver.show(source.vif.id)

    def test_turned_back(self) -> None:
        """Before the second was activated: unbound, nothing is left of it. The first was active all the time."""
        source, target = self._migrating()
        self.driver.unbind(target.vif.id, self.hosts[1])
        assert self._statuses(source.vif.id) == {self.hosts[0]: ACTIVE}
        self.driver.activate(source.vif.id, self.hosts[0], source.generation)

    def test_turned_back_after_arrival(self) -> None:
        """The first answer is void then, whoever has it; asked for anew, the first host can be activated again."""
        source, target = self._migrating()
        key = self.driver.show(source.vif.id).key
        self.driver.activate(source.vif.id, self.hosts[0], source.generation)
        self.driver.activate(target.vif.id, self.hosts[1], target.generation)
        with pytest.raises(exception.BindingChanged):
            self.driver.activate(source.vif.id, self.hosts[0], source.generation)
        back = self.bind(self.request(key, port_id=source.vif.id, purpose=Purpose.MIGRATE))
        self.driver.activate(source.vif.id, self.hosts[0], back.generation)
        assert self._statuses(source.vif.id) == {self.hosts[0]: ACTIVE, self.hosts[1]: INACTIVE}

    def test_refused_on_the_second_host(self) -> None:
        """The first binding is as it was, and the only one."""
        source = self.bind()
        before = self.driver.show(source.vif.id)
        offer = self.make_offer(self.impossible, host=self.hosts[1])
        with pytest.raises(exception.BindingRefused):
            self.driver.bind(self.request(before.key, offer=offer, port_id=source.vif.id, purpose=Purpose.MIGRATE))
        assert self.driver.show(source.vif.id) == before

    def _migrating(self) -> tuple[Answer, Answer]:
        request = self.request()
        source = self.bind(request)
        return source, self.bind(self._to_second_host(request.key, source))

    def _to_second_host(self, key: str, source: Answer) -> Request:
        offer = self.make_offer(host=self.hosts[1])
        return self.request(key, offer=offer, port_id=source.vif.id, purpose=Purpose.MIGRATE)

    def _statuses(self, port_id: str) -> dict[str, str]:
        return {binding.host: binding.status for binding in self.driver.show(port_id).bindings}
