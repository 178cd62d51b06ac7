# SPDX-License-Identifier: Apache-2.0
"""Plugins with options of a test's own, and a namespace to plug into."""

from __future__ import annotations

import pytest

from support import plugging


@pytest.fixture
def configured():
    """Makes a plugin whose options have the values given: configured(TapPlugin, owner=1000)."""
    return plugging.configured


@pytest.fixture
def host_for(netns, tmp_path):
    """Makes a host that a plugin plugs into: host_for(TapPlugin, owner=1000)."""

    def make(plugin, **options):
        return plugging.PlugHost(netns, tmp_path, plugging.configured(plugin, **options))

    return make
