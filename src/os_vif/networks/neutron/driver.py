# SPDX-License-Identifier: Apache-2.0
"""The driver: ports of a Neutron server, bound to what the hypervisor has offered, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from os_vif import exception
from os_vif.exception.log import logger
from os_vif.negotiation import details
from os_vif.negotiation.answer import Answer, refused
from os_vif.negotiation.choice import Decision, choose
from os_vif.negotiation.offer_form import asking_once_more
from os_vif.negotiation.refusal import Refusal
from os_vif.negotiation.request import Purpose, Request
from os_vif.networks.driver import Binding, NetworkDriver, Port
from os_vif.networks.neutron import active_binding, answering, errors, migration_binding, ports
from os_vif.networks.neutron import unbind as unbinding
from os_vif.networks.neutron.api import Json, Neutron
from os_vif.networks.neutron.lookup import Looking
from os_vif.networks.neutron.options import OPTIONS
from os_vif.networks.neutron.ports import Bound, Found
from os_vif.networks.neutron.prediction import Guessing
from os_vif.networks.neutron.request import Asked

LOG = logger(__name__)

_PAUSE = 0.1

T = TypeVar("T")


class NeutronDriver(NetworkDriver):
    """See docs/neutron-client.md."""

    CONFIG_OPTS = OPTIONS

    def __init__(self, name: str, config: Any) -> None:
        super().__init__(name, config)
        self._neutron = Neutron(name, config)
        self._look = Looking(self._neutron)

    def decide(self, request: Request) -> Decision:
        """See NetworkDriver. What is not bound yet is guessed, by the agents of the host; refusals say so."""
        found = self._look.sought(request)
        network = self._look.network_for(found, request)
        bound = found.at(request.offer.host) if found else None
        if found and bound and Asked(request).is_answered_by(found, bound):
            return answering.decision_of(self._look.wired(found, bound, network), request)
        port = found.port if found else {}  # without these attributes when its active binding was deleted
        vnic_type = port.get("binding:vnic_type") or request.vnic_type
        profile = port.get("binding:profile") or {}
        guessing = Guessing(request.offer.host, self._look.agents(request.offer.host), network, vnic_type, profile)
        return choose(request.offer, guessing.provisions(request), request)

    def bind(self, request: Request) -> Answer:
        """See NetworkDriver."""
        return asking_once_more(lambda version: self._until_nobody_interferes(lambda: self._bind(request, version)))

    def _bind(self, request: Request, version: str | None) -> Answer | None:
        """None: something has changed meanwhile; look again."""
        found = self._look.sought(request)
        try:
            network = self._look.network_for(found, request)
            asked = Asked(request, version)
            return self._create(network, asked) if found is None else self._bind_port(found, network, asked)
        except exception.NetworkNotFound as error:
            if found is None or request.port_id or error.kwargs["name"] != found.id:
                raise
            LOG.info("Port %s is gone: another caller was refused, or has given it back.", found.id)
            return None

    def _bind_port(self, found: Found, network: Json, asked: Asked) -> Answer:
        request = asked.request
        self._look.check_the_same(found, request)
        found = self._settled(found, asked.host)
        known = found.at(asked.host)
        source = found.active
        if known and asked.is_answered_by(found, known):
            return self._bound_before(found, known, network, asked)
        if request.purpose == Purpose.MIGRATE and source and source.host != asked.host:
            return self._bind_second(found, source, network, asked)
        made = active_binding.bind(self._neutron, asked, found)
        return self._conclude(
            made, made.active, network, asked, partial(active_binding.undo, self._neutron, found, made)
        )

    def _bound_before(self, found: Found, known: Bound, network: Json, asked: Asked) -> Answer:
        """The answer once more. Whoever has bound it may have been killed before any of the steps that follow."""
        self._prolong(found, known, asked.request)
        undo = partial(unbinding.unbind, self._neutron, found, asked.host)
        answer = self._conclude(found, known, network, asked, undo)
        if found.active and not known.is_active:
            migration_binding.announce(self._neutron, found, found.active, asked.host)
        return answer

    def _create(self, network: Json, asked: Asked) -> Answer | None:
        made = active_binding.create(self._neutron, asked, network["id"])
        if made is None:
            return None
        return self._conclude(
            made, made.active, network, asked, partial(active_binding.undo, self._neutron, None, made)
        )

    def _bind_second(self, found: Found, source: Bound, network: Json, asked: Asked) -> Answer:
        undo = partial(migration_binding.undo, self._neutron, found.id, asked.host)
        try:
            bound = migration_binding.bind(self._neutron, asked, found, source)
        except exception.BindingRefused as error:
            unbinding.quietly("take the second binding back", undo)
            raise self._with_reasons(error, network, asked.request, source.vnic_type) from error
        answer = self._conclude(found, bound, network, asked, undo)
        migration_binding.announce(self._neutron, found, source, asked.host)
        return answer

    def _conclude(
        self, found: Found, bound: Bound | None, network: Json, asked: Asked, undo: Callable[[], None]
    ) -> Answer:
        """The answer, or everything as it was."""
        try:
            return self._answer(found, bound, network, asked.request)
        except Exception:
            unbinding.quietly(f"take the binding of port {found.id} back", undo)
            raise

    def _answer(self, found: Found, bound: Bound | None, network: Json, request: Request) -> Answer:
        if bound is None or (bound.is_void and details.KEY not in bound.details):
            vnic_type = bound.vnic_type if bound else request.vnic_type
            raise self._with_reasons(exception.BindingRefused(), network, request, vnic_type)
        return answering.answer_of(self._look.wired(found, bound, network), request, bound.generation)

    def _with_reasons(
        self, error: exception.BindingRefused, network: Json, request: Request, vnic_type: str
    ) -> exception.BindingRefused:
        """Neutron itself says no more than that it has failed."""
        if error.refusals:
            return error
        agents: Sequence[Json] = ()
        try:
            agents = self._look.agents(request.offer.host)
        except exception.NetworkError as unknown:
            LOG.warning("Nobody can tell why Neutron has not bound the port: %s", unknown)
        refusals: list[Refusal] = Guessing(request.offer.host, agents, network, vnic_type).refusals(request)
        return refused(Decision(None, refusals), request.offer)

    def unbind(self, port_id: str, host: str) -> None:
        """See NetworkDriver."""

        def step() -> bool:
            try:
                unbinding.unbind(self._neutron, ports.read_port(self._neutron, port_id), host)
            except exception.NetworkNotFound as error:
                LOG.debug("Nothing to unbind: %s", error)
            return True

        self._until_nobody_interferes(step)

    def activate(self, port_id: str, host: str, generation: int) -> None:
        """See NetworkDriver."""

        def step() -> bool:
            migration_binding.activate(self._neutron, ports.read_port(self._neutron, port_id), host, generation)
            return True

        self._until_nobody_interferes(step)

    def find(self, key: str) -> str | None:
        """See NetworkDriver."""
        found = ports.find(self._neutron, key)
        return found.id if found else None

    def show(self, port_id: str) -> Port:
        """See NetworkDriver."""
        found = ports.read_port(self._neutron, port_id)
        network = self._look.network(found)
        return Port(
            port_id=found.id,
            network=network["name"] or network["id"],
            mac_address=found.port["mac_address"],
            ip_addresses=tuple(ip["ip_address"] for ip in found.port["fixed_ips"]),
            bindings=tuple(self._binding(found, bound, network) for bound in found.bindings),
            ours=found.ours,
            key=found.key,
        )

    def lapsed(self, now: float) -> Sequence[Binding]:
        """See NetworkDriver."""
        waiting = [
            (lapses_at, found, bound)
            for found in ports.waiting(self._neutron)
            for bound in found.bindings
            if (lapses_at := found.lapses_at(bound)) is not None and lapses_at < now
        ]
        waiting.sort(key=lambda one: one[0])
        return [self._binding(found, bound) for _, found, bound in waiting]

    def _binding(self, found: Found, bound: Bound, network: Json | None = None) -> Binding:
        wired = self._look.wired(found, bound, network or {}, subnets=())
        return Binding(
            port_id=found.id,
            host=bound.host,
            status=bound.status,
            generation=bound.generation,
            choice=answering.choice_of(bound.details, wired),
            lapses_at=found.lapses_at(bound),
        )

    def _settled(self, found: Found, host: str) -> Found:
        """The port, when a binding of it that another caller has begun has come to its end, or should have."""
        end = time.monotonic() + self._neutron.timeout
        while _is_under_way(found.at(host)) and time.monotonic() < end:
            time.sleep(_PAUSE)
            found = ports.read_port(self._neutron, found.id)
        return found

    def _prolong(self, found: Found, bound: Bound, request: Request) -> None:
        """Puts off the end of a binding when it comes near: that binds anew, which is not to be done idly."""
        lapses_at = found.lapses_at(bound)
        if lapses_at is not None and lapses_at - time.time() < request.offer.lease / 2:
            active_binding.prolong(self._neutron, found, bound, time.time() + request.offer.lease)

    def _until_nobody_interferes(self, step: Callable[[], T | None]) -> T:
        """Does it again while others change what it has read."""
        end = time.monotonic() + self._neutron.timeout
        while True:
            try:
                done = step()
                if done is not None:
                    return done
                changed = "its answers contradict each other; somebody else keeps changing what it is asked for."
            except errors.Outdated as error:
                changed = error.message
            if time.monotonic() > end:
                raise exception.NetworkUnavailable(driver=self.name, reason=changed)
            time.sleep(_PAUSE)


def _is_under_way(bound: Bound | None) -> bool:
    return bound is not None and bound.record is not None and bound.is_active and bound.vif_type == ports.UNBOUND
