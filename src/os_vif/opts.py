# SPDX-License-Identifier: Apache-2.0
"""The options of every plugin, for `oslo-config-generator --namespace os_vif`."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_config import cfg
from stevedore import extension

from os_vif import loading


def list_plugins_opts() -> list[tuple[str, Sequence[cfg.Opt]]]:
    """(group, options) for every plugin that can be loaded, those without options included."""
    manager = extension.ExtensionManager(loading.ENTRY_POINT_GROUP, on_load_failure_callback=loading.report_failure)
    return [(f"os_vif_{found.name}", found.plugin.CONFIG_OPTS) for found in manager]
