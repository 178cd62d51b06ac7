# SPDX-License-Identifier: Apache-2.0
"""The privileged helper of plugins that have none of their own (needs the extra ``privsep``)."""

from __future__ import annotations

from typing import Any

from oslo_privsep import capabilities, priv_context

from os_vif.host.access import kernel_operations
from os_vif.host.access.helper.rules import RuleOptions
from os_vif.plugins import linux_bridge_options

vif_plug = priv_context.PrivContext(
    "os_vif",
    cfg_section="os_vif_privileged",
    pypath=__name__ + ".vif_plug",
    capabilities=[capabilities.CAP_NET_ADMIN],
)


@vif_plug.entrypoint
def run(operations: list[list[Any]]) -> tuple[int, int, str]:
    """kernel.run(), in the helper, with the options of its configuration."""
    return kernel_operations.run(operations, rule_options())


@vif_plug.entrypoint
def read_chain(family: str, chain: str) -> tuple[tuple[str, ...], int] | None:
    """kernel.read_chain(), in the helper."""
    return kernel_operations.read_chain(family, chain)


def rule_options() -> RuleOptions:
    """What the operator says of forwarding rules, in the configuration that the helper was started with."""
    config = linux_bridge_options.registered()
    return RuleOptions(config.iptables_top_regex, config.iptables_drop_action)
