# SPDX-License-Identifier: Apache-2.0
"""Finding and loading the drivers of the network side and of the hypervisor side, one by one, by their names."""

from __future__ import annotations

from typing import Any

from os_vif import exception

NETWORKS, HYPERVISORS = "os_vif.networks", "os_vif.hypervisors"


def load(group: str, name: str) -> Any:
    """The driver ``name`` of an entry point group, with its options registered.

    These are in the group ``os_vif_network_<name>`` or ``os_vif_hypervisor_<name>``. Raises DriverUnavailable.
    """
    from oslo_config import cfg
    from stevedore import driver

    if name not in names(group):
        known = ", ".join(names(group)) or "none"
        raise exception.DriverUnavailable(kind=_kind(group), name=name, reason=f"installed are: {known}.")
    found = driver.DriverManager(group, name, on_load_failure_callback=_fail)
    made: Any = found.driver
    options = options_group(group, name)
    cfg.CONF.register_opts(list(made.CONFIG_OPTS), group=options)
    return made(name, getattr(cfg.CONF, options) if made.CONFIG_OPTS else None)


def options_group(group: str, name: str) -> str:
    """The group of a driver's options."""
    return f"os_vif_{_kind(group)}_{name}"


def names(group: str) -> list[str]:
    """The names of all drivers of a group; nothing is imported for it."""
    from importlib.metadata import entry_points

    return sorted({entry.name for entry in entry_points(group=group)})


def _kind(group: str) -> str:
    return "network" if group == NETWORKS else "hypervisor"


def _fail(manager: Any, entry_point: Any, error: BaseException) -> None:
    raise exception.DriverUnavailable(
        kind=_kind(manager.namespace), name=entry_point.name, reason=f"it cannot be imported: {error}."
    ) from error
