# SPDX-License-Identifier: Apache-2.0
"""A network side, and hosts that see it."""

from __future__ import annotations

import pytest

import os_vif
from lifecycle.hosts import Host, Networks


@pytest.fixture
def networks(tmp_path):
    """A network side with the network "blue", a Linux bridge."""
    os_vif.initialize()
    side = Networks(tmp_path / "networks.db")
    side.create()
    return side


@pytest.fixture
def new_host(networks, new_netns, tmp_path):
    """Makes hosts: new_host("one")."""
    return lambda name: Host(networks, new_netns(), tmp_path / name, name)


@pytest.fixture
def host(new_host):
    """One host."""
    return new_host("one")
