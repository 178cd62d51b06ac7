# SPDX-License-Identifier: Apache-2.0
"""The tests that every plugin should pass, for pytest. Run them on yours:

    from os_vif.testing.conformance import PluginConformance

    class TestMyPlugin(PluginConformance):
        def make_vif(self, number):
            return my_vif(number), my_instance

Each test runs on the kernel, in a network namespace of its own, for which it takes root or ``unshare -rn``. A plugin
that states what it wants can be tested without, on a fake host that ``make_host`` returns. See Kit for what else can
be overridden.
"""

from os_vif.testing.conformance.concurrency import Concurrency
from os_vif.testing.conformance.crashes import Crashes
from os_vif.testing.conformance.description import Description
from os_vif.testing.conformance.errors import Errors
from os_vif.testing.conformance.kit import Kit
from os_vif.testing.conformance.leaks import Leaks
from os_vif.testing.conformance.repetition import Repetition
from os_vif.testing.conformance.snapshot import kernel_snapshot
from os_vif.testing.conformance.vocabulary import Vocabulary

__all__ = ["Kit", "PluginConformance", "kernel_snapshot"]


class PluginConformance(Repetition, Crashes, Leaks, Concurrency, Errors, Description, Vocabulary):
    """All of it. Subclass it with a name that pytest collects, and say what a VIF for your plugin looks like."""

    __test__ = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "__test__" not in vars(cls):
            cls.__test__ = True
