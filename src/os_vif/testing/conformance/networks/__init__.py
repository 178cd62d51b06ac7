# SPDX-License-Identifier: Apache-2.0
"""The tests that every network driver should pass, for pytest. Run them on yours:

    from os_vif.testing.conformance.networks import NetworkDriverConformance

    class TestMyDriver(NetworkDriverConformance):
        types = ("ovs", "vhostuser")

        def make_driver(self):
            return MyDriver("mine", my_config)

See NetworkKit for what there must be, and what else can be overridden.
"""

from os_vif.testing.conformance.networks.activation import Activation
from os_vif.testing.conformance.networks.binding import Binding
from os_vif.testing.conformance.networks.concurrency import Concurrency
from os_vif.testing.conformance.networks.kit import NetworkKit
from os_vif.testing.conformance.networks.migration import Migration

__all__ = ["NetworkDriverConformance", "NetworkKit"]


class NetworkDriverConformance(Binding, Activation, Migration, Concurrency):
    """All of it. Subclass it with a name that pytest collects, and say how a driver is made."""

    __test__ = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__test__" not in vars(cls):
            cls.__test__ = True
