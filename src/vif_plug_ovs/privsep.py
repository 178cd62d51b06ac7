# SPDX-License-Identifier: Apache-2.0
"""The privileged helper of the Open vSwitch plugin (needs the extra ``privsep``).

Rootwrap rules and deployed configuration name the context ``vif_plug_ovs.privsep.vif_plug`` and the section
``[vif_plug_ovs_privileged]``.
"""

from __future__ import annotations

from typing import Any

from oslo_privsep import capabilities, priv_context

from os_vif import privsep
from os_vif.host.access import kernel_operations

vif_plug = priv_context.PrivContext(
    "vif_plug_ovs",
    cfg_section="vif_plug_ovs_privileged",
    pypath=__name__ + ".vif_plug",
    capabilities=[capabilities.CAP_NET_ADMIN],
)


@vif_plug.entrypoint
def run(operations: list[list[Any]]) -> tuple[int, int, str]:
    """kernel.run(), in the helper, with the options of its configuration."""
    return kernel_operations.run(operations, privsep.rule_options())


@vif_plug.entrypoint
def read_chain(family: str, chain: str) -> tuple[tuple[str, ...], int] | None:
    """kernel.read_chain(), in the helper."""
    return kernel_operations.read_chain(family, chain)
