# SPDX-License-Identifier: Apache-2.0
"""Networks of the driver `local`, each in a database of the test's own."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest

from os_vif.negotiation.request import Request
from os_vif.networks.local.driver import LocalDriver
from os_vif.networks.local.managing import Manager
from os_vif.networks.local.wanted import WantedNetwork
from support import vifs

OPTIONS = {
    "ovs_datapath_type": "system",
    "ovs_dpdk": False,
    "vhostuser_socket_dir": "/var/run/openvswitch",
}


class Side:
    """A network side: its database, drivers on it, and what an operator does with it."""

    def __init__(self, path, **options):
        self.directory = path.parent
        self.config = SimpleNamespace(database=str(path), **(OPTIONS | options))
        self.driver = self.new_driver()
        self.manager = Manager(self.driver.database, self.config)

    def new_driver(self):
        """As in another process."""
        return LocalDriver("local", self.config)

    def bind(self, offer, **fields):
        """Binds a port of "blue", for a key of its own unless one is given."""
        asked = {"key": str(uuid.uuid4()), "network": "blue", "instance": vifs.INSTANCE, "offer": offer}
        return self.driver.bind(Request(**(asked | fields)))

    def create(self, name="blue", **wanted):
        """A network, with a subnet unless told otherwise."""
        return self.manager.create(WantedNetwork(name, **({"cidrs": ["192.0.2.0/24"]} | wanted)))


@pytest.fixture
def side(tmp_path):
    """A network side without networks."""
    return Side(tmp_path / "networks.db")


@pytest.fixture
def new_side(tmp_path):
    """Makes a network side with options of the test's own: new_side(ovs_dpdk=True)."""
    return lambda **options: Side(tmp_path / "networks.db", **options)
