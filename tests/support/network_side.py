# SPDX-License-Identifier: Apache-2.0
"""A network side of the driver `local`: its database, drivers on it, and what an operator does with it."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

from os_vif.negotiation.request import Request
from os_vif.networks.local.admin import Manager
from os_vif.networks.local.driver import LocalDriver
from os_vif.networks.local.spec import WantedNetwork
from support import vifs

OPTIONS = {
    "dhcp_user": None,
    "ovs_datapath_type": "system",
    "ovs_dpdk": False,
    "vhostuser_socket_dir": "/var/run/openvswitch",
}


class Side:
    """``path``: the database; ``options``: of the driver."""

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
        return self.driver.bind(self.request(offer, **fields))

    def request(self, offer, **fields):
        """What bind() asks."""
        asked = {"key": str(uuid.uuid4()), "network": "blue", "instance": vifs.INSTANCE, "offer": offer}
        return Request(**(asked | fields))

    def create(self, name="blue", **wanted):
        """A network, with a subnet unless told otherwise."""
        return self.manager.create(WantedNetwork(name, **({"cidrs": ["192.0.2.0/24"]} | wanted)))
