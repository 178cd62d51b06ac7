# SPDX-License-Identifier: Apache-2.0
"""The privileged helper of the Open vSwitch plugin (needs the extra ``privsep``).

Rootwrap rules and deployed configuration name the context ``vif_plug_ovs.privsep.vif_plug`` and the section
``[vif_plug_ovs_privileged]``.
"""

from __future__ import annotations

from typing import Any

from oslo_privsep import capabilities, priv_context

from os_vif.host import firewall_tool, kernel

vif_plug = priv_context.PrivContext(
    "vif_plug_ovs",
    cfg_section="vif_plug_ovs_privileged",
    pypath=__name__ + ".vif_plug",
    capabilities=[capabilities.CAP_NET_ADMIN],
)


@vif_plug.entrypoint
def run(operations: list[list[Any]]) -> tuple[int, int, str]:
    """kernel.run(), in the helper."""
    return kernel.run(operations)


@vif_plug.entrypoint
def read_chain(family: str, chain: str) -> tuple[tuple[str, ...], int] | None:
    """firewall_tool.read_chain(), in the helper."""
    state = firewall_tool.read_chain(family, chain)
    return None if state is None else (state.rules, state.jumps)
