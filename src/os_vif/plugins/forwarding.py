# SPDX-License-Identifier: Apache-2.0
"""The forwarding rules of a bridge: what the host may route to and from it.

os-vif 4.3.0 writes the same rules into a chain that all bridges share, with a last one that can never match; here
every bridge has a chain of its own, and the rules that it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from os_vif.host.state import ForwardingRules
from os_vif.plugins import names

#: Instead of names of interfaces: forward to and from all of them.
ALL = "all"


def rules(bridge: str, interfaces: Sequence[str], drop_action: str) -> tuple[str, ...]:
    """The rules for a bridge, in iptables' syntax, first to last.

    ``interfaces`` are those that the bridge may exchange packets with; ``drop_action`` is the target for the rest.
    """
    if ALL in interfaces:
        return (f"-i {bridge} -j ACCEPT", f"-o {bridge} -j ACCEPT")
    return tuple(_only_with(bridge, [name for name in interfaces if name], drop_action))


def _only_with(bridge: str, interfaces: Sequence[str], drop_action: str) -> Iterator[str]:
    for interface in interfaces:
        if interface != bridge:
            yield f"-i {bridge} -o {interface} -j ACCEPT"
            yield f"-i {interface} -o {bridge} -j ACCEPT"
    yield f"-i {bridge} -o {bridge} -j ACCEPT"
    yield f"-i {bridge} -j {drop_action}"
    yield f"-o {bridge} -j {drop_action}"


def chains(bridge: str, lines: tuple[str, ...], families: Sequence[str], below: str) -> Iterator[ForwardingRules]:
    """The same rules for each family; ``below`` is a regular expression for rules that stay above the chain's."""
    for family in families:
        chain = names.forwarding_chain(bridge)
        yield ForwardingRules(family=family, chain=chain, rules=lines, below=below, shared=True)
