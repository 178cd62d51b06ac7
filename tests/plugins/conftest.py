# SPDX-License-Identifier: Apache-2.0
"""Plugins with options of a test's own."""

from __future__ import annotations

import pytest
from oslo_config import cfg


@pytest.fixture
def configured():
    """Makes a plugin whose options have the values given: configured(TapPlugin, owner=1000)."""

    def make(plugin, **values):
        conf = cfg.ConfigOpts()
        conf.register_opts(list(plugin.CONFIG_OPTS), group="plugin")
        conf([], project="os-vif-tests", default_config_files=[])
        for name, value in values.items():
            conf.set_override(name, value, group="plugin")
        return plugin(conf.plugin if plugin.CONFIG_OPTS else None)

    return make
