# SPDX-License-Identifier: Apache-2.0
"""Networks of the driver `local`, each in a database of the test's own."""

from __future__ import annotations

import pytest

from support.network_side import Side


@pytest.fixture
def side(tmp_path):
    """A network side without networks."""
    return Side(tmp_path / "networks.db")


@pytest.fixture
def new_side(tmp_path):
    """Makes a network side with options of the test's own: new_side(ovs_dpdk=True)."""
    return lambda **options: Side(tmp_path / "networks.db", **options)
