# SPDX-License-Identifier: Apache-2.0
"""What the privileged helper does for a caller whom it does not trust: the ways of plugging, and no more.

Names prove nothing, so each operation is held against the devices that it is about, right before it is done: which of
them os-vif has made, which could be ports of a bridge, which addresses and routes are where. What is promised is in
docs/security.md. A process that may change the network by itself is not checked: it could do as it likes anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from os_vif.host.access.helper import form, links, moves, rules
from os_vif.host.access.helper.rules import RuleOptions

Arguments = dict[str, Any]


def checked(name: str, arguments: Any, options: RuleOptions) -> Arguments:
    """The arguments that the operation may be done with; of rules, addresses and routes the helper's own version.

    Raises KernelError: EPERM for what is not for the caller to do; ValueError for arguments of no such operation.
    """
    stated = form.checked(name, arguments)
    if name.startswith("firewall."):
        return rules.checked(name, stated, options)
    check = _CHECKS.get(name)
    return check(**stated) if check else stated


def _checking(check: Callable[..., None]) -> Callable[..., Arguments]:
    def as_stated(**stated: Any) -> Arguments:
        check(**stated)
        return stated

    return as_stated


_CHECKS: Mapping[str, Callable[..., Arguments]] = {
    "link.add": _checking(links.check_add),
    "link.set": _checking(links.check_set),
    "link.delete": _checking(links.check_delete),
    "link.rename": _checking(links.check_rename),
    "sysctl.set": _checking(links.check_sysctl),
    "address.add": moves.address_to_add,
    "address.delete": moves.address_to_delete,
    "route.add": moves.route_to_add,
    "route.delete": moves.route_to_delete,
}
