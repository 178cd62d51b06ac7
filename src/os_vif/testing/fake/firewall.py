# SPDX-License-Identifier: Apache-2.0
"""The filter table of a fake host: chains of our own, and how often FORWARD jumps to each."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

from os_vif.host.kernel.iptables import ChainState
from os_vif.host.kernel.netlink import KernelError
from os_vif.testing.fake.namespace import FakeNamespace

_CHAIN = re.compile(r"^os-vif-[^\s/:\x00]{1,21}$")


def firewall_set(
    namespace: FakeNamespace, family: str, chain: str, rules: Sequence[str], jumps: int = 0, below: str = ""
) -> None:
    """Operation "firewall.set": the chain holds just these rules; a jump is added to none. FORWARD has no others."""
    _check(family, chain)
    _check_pattern(below)
    for rule in rules:
        if not rule.isprintable():
            raise ValueError(f"{rule!r} is not a rule")
        if not rule.startswith("-"):
            raise KernelError(errno.EINVAL, f"iptables-restore: bad argument {rule!r}")
    known = namespace.chains.get((family, chain))
    there = known.jumps if known else 0
    namespace.chains[family, chain] = ChainState(tuple(rules), there if jumps else there + 1)


def firewall_delete(namespace: FakeNamespace, family: str, chain: str) -> None:
    """Operation "firewall.delete"; one that is gone is fine."""
    _check(family, chain)
    namespace.chains.pop((family, chain), None)


def _check_pattern(below: str) -> None:
    try:
        re.compile(below)
    except re.error as error:
        raise ValueError(f"{below!r} is not a pattern: {error}") from error


def _check(family: str, chain: str) -> None:
    if not _CHAIN.match(chain):
        raise ValueError(f"{chain!r} is not the name of a chain of os-vif")
    if family not in ("ipv4", "ipv6"):
        raise KeyError(family)
