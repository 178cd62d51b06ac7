# SPDX-License-Identifier: Apache-2.0
"""Rules of the firewall, as plugins state them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from os_vif.host.state.resource import Resource, resource_type


@resource_type
@dataclass(frozen=True, kw_only=True)
class ForwardingRules(Resource):
    """Rules of one chain of our own in the filter table, which FORWARD jumps to.

    ``family`` is "ipv4" or "ipv6"; ``rules`` in iptables' own syntax without the "-A chain". The jump to the chain
    goes to the top of FORWARD, or right below the last rule there that matches the regular expression ``below``.
    """

    backend: ClassVar[str] = "firewall"

    family: str
    chain: str
    rules: tuple[str, ...]
    below: str = ""

    @property
    def bridge(self) -> str:
        """The bridge that the chain is named after."""
        return self.chain.removeprefix("os-vif-")

    @property
    def key(self) -> str:
        return f"firewall/{self.family}/{self.chain}"

    @property
    def label(self) -> str:
        return f"{self.family} chain {self.chain}"
