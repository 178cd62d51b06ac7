# SPDX-License-Identifier: Apache-2.0
"""os-vif initialized, with options of a test's own, and a guest to make offers for."""

from __future__ import annotations

import pytest
from oslo_config import cfg

import os_vif
from os_vif.hypervisors.driver import Guest


@pytest.fixture
def options():
    """Sets an option until the test ends: options("os_vif_ovs", ovsdb_connection="unix:/nowhere")."""
    os_vif.initialize()
    changed = []

    def change(group, **values):
        for name, value in values.items():
            cfg.CONF.set_override(name, value, group=group)
            changed.append((name, group))

    yield change
    for name, group in changed:
        cfg.CONF.clear_override(name, group=group)


@pytest.fixture
def guest():
    """Makes a guest: guest(shared_memory=True)."""

    def make(**more):
        return Guest(**{"name": "guest-1", "uuid": "5d1e6a2c-7a2e-4b8e-9d5e-3c1f0a9b8c7d", **more})

    return make
