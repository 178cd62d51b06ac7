# SPDX-License-Identifier: Apache-2.0
"""The backend of forwarding rules: chains of our own in the filter table, which FORWARD jumps to."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from os_vif import exception
from os_vif.host.access.host import HostAccess
from os_vif.host.backends import bridges
from os_vif.host.contract.backend import Marked, Purpose
from os_vif.host.contract.operations import Operation
from os_vif.host.contract.plan import Holding, Outcome, Step
from os_vif.host.journal import marks
from os_vif.host.kernel.iptables import ChainState
from os_vif.host.state import ForwardingRules, Resource


@dataclass(frozen=True)
class _Unreadable:
    """Why a chain cannot be looked at. ``impossible``: there can be none here."""

    reason: str
    impossible: bool


class FirewallBackend:
    """The filter tables of this network namespace."""

    name = "firewall"

    def __init__(self, host: HostAccess, home: str = "") -> None:
        """``home`` is our own journal (identity.py)."""
        self._host = host
        self._home = marks.short(home)

    def read(self, resources: Sequence[Resource], purpose: Purpose) -> dict[str, ChainState | _Unreadable | None]:
        """The chains concerned, by the resources' keys."""
        wanted = [resource for resource in resources if isinstance(resource, ForwardingRules)]
        return {resource.key: self._state(resource, purpose) for resource in wanted}

    def _state(self, rules: ForwardingRules, purpose: Purpose) -> ChainState | _Unreadable | None:
        try:
            return self._host.read_chain(rules.family, rules.chain, purpose.context)
        except OSError as error:
            # Where there is no ip6tables, nobody drops what is let pass with it.
            no_program = rules.family == "ipv6" and error.errno == errno.ENOENT
            return _Unreadable(str(error), impossible=no_program or error.errno == errno.EAFNOSUPPORT)

    def run(self, operations: Sequence[Operation], context: str) -> None:
        """Does operations in order. Raises OperationFailed."""
        self._host.run(operations, context)

    def converge(self, resource: Resource, actual: Any, purpose: Purpose) -> Outcome:
        """One step: the whole chain, and the jump to it, are written together."""
        assert isinstance(resource, ForwardingRules)
        holding = Holding(resource, made=True)
        state: ChainState | _Unreadable | None = actual[resource.key]
        if isinstance(state, _Unreadable):
            if state.impossible and resource.family == "ipv6":
                return Outcome(holding)
            raise exception.StepFailed(
                step=f"read {resource.label}", device=resource.chain, vif_id=purpose.vif_id, reason=state.reason
            )
        if state is not None and state.jumps == 1 and _same(resource.rules, state.rules):
            return Outcome(holding)
        text = f"write {len(resource.rules)} forwarding rules into {resource.label}"
        jumps = state.jumps if state else 0
        step = Step(
            "firewall", resource.chain, text, _write(resource, resource.rules, jumps), _back_to(resource, state)
        )
        return Outcome(holding, (step,))

    def remove(self, holding: Holding, actual: Any, purpose: Purpose) -> Sequence[Step]:
        """Deletes the chain and the jump to it; where it cannot be looked at, that is tried, and fails by itself."""
        resource = holding.resource
        assert isinstance(resource, ForwardingRules)
        state: ChainState | _Unreadable | None = actual[resource.key]
        if state is None or (isinstance(state, _Unreadable) and state.impossible):
            return ()
        return (Step("firewall", resource.chain, f"delete {resource.label}", _delete(resource)),)

    def in_use(self, holding: Holding, actual: Any, leaving: Sequence[Holding]) -> str:
        """While VIFs of another journal are on the bridge, who may need the rules."""
        assert isinstance(holding.resource, ForwardingRules)
        return bridges.needed_elsewhere(self._host, holding.resource.bridge, self._home, leaving)

    def marked(self) -> Sequence[Marked]:
        """None: a chain is found by the bridge it is named after."""
        return ()


def _same(stated: Sequence[str], found: Sequence[str]) -> bool:
    """iptables completes some targets with options of their own ("REJECT --reject-with ...")."""
    pairs = zip(stated, found, strict=False)
    return len(stated) == len(found) and all(there == rule or there.startswith(f"{rule} --") for rule, there in pairs)


def _back_to(resource: ForwardingRules, state: ChainState | None) -> Operation:
    return _write(resource, state.rules, max(state.jumps, 1)) if state else _delete(resource)


def _write(resource: ForwardingRules, rules: Sequence[str], jumps: int) -> Operation:
    arguments = {"family": resource.family, "chain": resource.chain, "rules": list(rules), "jumps": jumps}
    if resource.below:
        arguments["below"] = resource.below
    return Operation("firewall.set", arguments)


def _delete(resource: ForwardingRules) -> Operation:
    return Operation("firewall.delete", {"family": resource.family, "chain": resource.chain})
