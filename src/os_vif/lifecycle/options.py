# SPDX-License-Identifier: Apache-2.0
"""Which sides there are, unless the caller says otherwise."""

from __future__ import annotations

import socket
from typing import Any

from oslo_config import cfg

GROUP = "os_vif"

OPTIONS = (
    cfg.StrOpt("network_driver", default="local", help="The network side: a driver of the group os_vif.networks."),
    cfg.StrOpt("hypervisor", help="The hypervisor side: a driver of the group os_vif.hypervisors."),
    cfg.StrOpt(
        "host",
        sample_default="the machine's name",
        help="The name by which the network side knows this host; for Neutron, that of its agent's host.",
    ),
)


def options() -> Any:
    """The values; the options are registered with the first call."""
    cfg.CONF.register_opts(list(OPTIONS), group=GROUP)
    return getattr(cfg.CONF, GROUP)


def this_host() -> str:
    """The name of this host, as configured or as the machine has it."""
    return options().host or socket.gethostname()
