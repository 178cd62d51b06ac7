# SPDX-License-Identifier: Apache-2.0
"""The options of every plugin and driver, for `oslo-config-generator --namespace os_vif`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oslo_config import cfg
from stevedore import extension

from os_vif.loading import drivers, plugins

Options = list[tuple[str, Sequence[cfg.Opt]]]


def list_plugins_opts() -> Options:
    """(group, options) for all that can be loaded, plugins without options included."""
    from os_vif.lifecycle import options

    listed: Options = [
        (f"os_vif_{found.name}", found.plugin.CONFIG_OPTS) for found in _found(plugins.ENTRY_POINT_GROUP)
    ]
    listed.append((options.GROUP, options.OPTIONS))
    for group in (drivers.NETWORKS, drivers.HYPERVISORS):
        listed += [
            (drivers.options_group(group, found.name), found.plugin.CONFIG_OPTS)
            for found in _found(group)
            if found.plugin.CONFIG_OPTS
        ]
    return listed


def _found(group: str) -> Any:
    return extension.ExtensionManager(group, on_load_failure_callback=plugins.report_failure)
