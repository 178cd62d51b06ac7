# SPDX-License-Identifier: Apache-2.0
"""The bridges and ports of networks of this driver, and their DHCP servers: needed for as long as they are there."""

from __future__ import annotations

from os_vif.host.engine.orphans import Claims
from os_vif.loading import drivers
from os_vif.networks.local import ports, tables
from os_vif.networks.local.driver import LocalDriver
from os_vif.plugging import current


def claims() -> Claims:
    """By the file that holds the networks, if there is one. Raises NetworkUnavailable."""
    driver = drivers.load(drivers.NETWORKS, "local")
    assert isinstance(driver, LocalDriver)
    is_kept = driver.config.database or current.engine().journal.identity
    if not is_kept or not driver.database.path.exists():
        return Claims()
    with driver.database.reading() as connection:
        networks = tables.every(connection)
        bound = ports.every(connection)
    return Claims(
        {network.dhcp_port_id: f"it is the DHCP server of network {network.name}" for network in networks}
        | {port.port_id: "its VIF is a port of a network of this host" for port in bound},
        {network.bridge: f"it is the bridge of network {network.name}" for network in networks},
    )
